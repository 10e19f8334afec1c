// The definition of the fused op: the composition of conv, batch_norm, add and relu, on any scalar. All but
// conv read no element after they have written it, which lets them share y.
#pragma once

#include "engine/ops/batch_norm/reference.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/relu.h"

namespace umbra {

template <class T>
void conv_inference_reference(const ConvInference& op, Buffers b, void*, Stream& stream) {
  const ConvGeometry& g = op.geometry;
  const T* x = b.in<T>(0);
  T* y = b.out<T>(7);
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) { conv_fprop_reference(g, x, w, y, rounded); });
  });
  void* const norm[] = {b[7], b[2], b[3], b[4], b[5], nullptr, b[7]};  // without options
  batch_norm_inference_reference<T>(
      BatchNormInference(op.dtype, g.out_volume(), g.out_channels, g.batch, op.epsilon), norm, nullptr,
      stream);
  if (op.residual) {
    void* const add[] = {b[7], b[6], b[7]};
    add_reference<T>(Add(op.dtype, op.count()), add, nullptr, stream);
  }
  if (op.relu) {
    void* const relu[] = {b[7], b[7]};
    relu_forward_reference<T>(ReluForward(op.dtype, op.count()), relu, nullptr, stream);
  }
}

}  // namespace umbra

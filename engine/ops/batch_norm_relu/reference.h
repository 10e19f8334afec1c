// The definition of the fused op: the composition of batch_norm, add and relu, on any scalar. Each of them
// reads an element no later than it writes it, which lets them share memory.
#pragma once

#include "engine/ops/add/reference.h"
#include "engine/ops/batch_norm/reference.h"
#include "engine/ops/batch_norm_relu/op.h"
#include "engine/ops/relu/reference.h"

namespace umbra {

inline std::string batch_norm_relu_needs_two(const BatchNormReluForward& op) {
  return op.outer * op.inner >= 2 ? "" : "needs at least two values per channel to train";
}
inline std::string batch_norm_relu_needs_one(const BatchNormReluBackward& op) {
  return op.outer * op.inner >= 1 ? "" : "needs at least one value per channel";
}

/// y = relu(y + residual) in place.
template <class T, class O>
void add_relu_in_place(const O& op, void* residual, void* y, Stream& stream) {
  if (op.residual) {
    void* const add[] = {y, residual, y};
    add_reference<T>(Add(op.dtype, op.count()), add, nullptr, stream);
  }
  void* const relu[] = {y, y};
  relu_forward_reference<T>(ReluForward(op.dtype, op.count()), relu, nullptr, stream);
}

template <class T>
void batch_norm_relu_forward_reference(const BatchNormReluForward& op, Buffers b, void*, Stream& stream) {
  void* const norm[] = {b[0], b[1], b[2], b[3], b[4], b[6], b[7], b[8]};
  batch_norm_forward_reference<T>(
      BatchNormForward(op.dtype, op.outer, op.channels, op.inner, op.epsilon, op.momentum), norm, nullptr,
      stream);
  add_relu_in_place<T>(op, b[5], b[6], stream);
}

template <class T>
void batch_norm_relu_inference_reference(const BatchNormReluInference& op, Buffers b, void*, Stream& stream) {
  void* const norm[] = {b[0], b[1], b[2], b[3], b[4], b[6]};
  batch_norm_inference_reference<T>(BatchNormInference(op.dtype, op.outer, op.channels, op.inner, op.epsilon),
                                    norm, nullptr, stream);
  add_relu_in_place<T>(op, b[5], b[6], stream);
}

template <class T>
void batch_norm_relu_backward_reference(const BatchNormReluBackward& op, Buffers b, void*, Stream& stream) {
  void* masked = op.residual ? b[9] : b[6];
  void* const relu[] = {b[0], b[2], masked};
  relu_backward_reference<T>(ReluBackward(op.dtype, op.count()), relu, nullptr, stream);
  void* const norm[] = {masked, b[1], b[3], b[4], b[5], b[6], b[7], b[8]};
  batch_norm_backward_reference<T>(BatchNormBackward(op.dtype, op.outer, op.channels, op.inner), norm,
                                   nullptr, stream);
}

}  // namespace umbra

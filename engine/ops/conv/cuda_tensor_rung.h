// A rung of an op of this family on Hopper's tensor cores, cuda_4_wgmma to cuda_7_cluster.
// engine/cuda/tile/tensor_product.h describes what the four share and what each adds.
#pragma once

#include <algorithm>
#include <type_traits>

#include "engine/base/error.h"
#include "engine/ops/conv/cuda_declines.h"
#include "engine/ops/conv/cuda_tensor_products.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

inline TensorProduct tensor_product_of(const ConvFprop& op, Buffers b) {  // x, w -> y
  TensorProduct made = conv_fprop_product(op.geometry, op.precision, op.weights, b[0], b[1], b[2]);
  made.x.packed = op.packed;
  made.w.packed = op.weights_packed;
  return made;
}
inline TensorProduct tensor_product_of(const ConvDgrad& op, Buffers b) {  // dy, w -> dx, addend
  TensorProduct made = conv_dgrad_product(op.geometry, op.precision, op.weights, b[0], b[1], b[2]);
  made.x.packed = op.packed;
  made.w.packed = op.weights_packed;
  if (op.addend) made.epilogue.residual = b.in(3);
  return made;
}
inline TensorProduct tensor_product_of(const ConvWgrad& op, Buffers b) {  // x, dy -> dw
  TensorProduct made = conv_wgrad_product(op.geometry, op.precision, b[0], b[1], b[2]);
  made.w.packed = made.x.packed = op.packed;
  return made;
}
/// fprop, whose sums go through the epilogue in registers before they are stored.
inline TensorProduct tensor_product_of(const ConvInference& op, Buffers b) {
  TensorProduct made = conv_fprop_product(op.geometry, op.precision, op.weights, b[0], b[1], b[7]);
  made.w.packed = op.weights_packed;
  made.epilogue.gamma = b.in(2);  // [Cout], as the three below
  made.epilogue.beta = b.in(3);
  made.epilogue.mean = b.in(4);
  made.epilogue.var = b.in(5);
  made.epilogue.residual = op.residual ? b.in(6) : nullptr;
  made.epilogue.epsilon = op.epsilon;
  made.epilogue.relu = op.relu;
  return made;
}

template <class O, TensorRung kRung>
struct ConvTensorRung {
  static std::string declines(const O& op) {
    std::string reason = cuda_declines_fp32(op);
    if (reason.empty()) reason = why_no_wgmma();
    if (!reason.empty()) return reason;
    const std::int64_t taps = op.geometry.live_taps();
    if (taps == 0 || taps > kMostTensorTaps)
      return concat("it supports only 1 to ", kMostTensorTaps, " taps that touch data");
    if constexpr (std::is_same_v<O, ConvWgrad>)
      return {};  // its sums run over pairs of positions and samples
    return tensor_terms_decline(taps * std::max(op.geometry.in_channels, op.geometry.out_channels));
  }
  static std::size_t workspace(const O& op) {
    constexpr void* kNoBuffers[8] = {};
    return tensor_workspace(tensor_product_of(op, kNoBuffers), kRung);
  }
  static void run(const O& op, Buffers b, void* memory, Stream& stream) {
    run_tensor_product(tensor_product_of(op, b), kRung, memory, stream.native());
  }
  static Kernel kernel() { return make_kernel<O, run, declines, workspace, Forms::kAll>(); }
};

}  // namespace umbra

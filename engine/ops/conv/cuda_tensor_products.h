// The three passes of a convolution as products on tensor cores (engine/cuda/tile/tensor_product.h).
#pragma once

#include "engine/cuda/tile/tensor_product.h"
#include "engine/ops/conv/cuda_conv_map.h"

namespace umbra {

/// fprop from x [D, H, W, Cin, N] and w [live tap, Cin, Cout] into y [oD, oH, oW, Cout, N].
inline TensorProduct conv_fprop_product(const ConvGeometry& g, Precision precision, DType weights,
                                        const void* x, const void* w, void* y) {
  const int K = static_cast<int>(g.out_channels), N = static_cast<int>(g.batch);
  TensorProduct made{};
  made.precision = precision;
  made.walk = {.map = conv_map(g),
               .pairs = false,
               .adjoint = false,
               .depth = static_cast<int>(g.in_channels),
               .rows = K,
               .samples = N,
               .blocks = ceil_div(N, kUnitSamples),
               .positions = static_cast<int>(g.out_volume()),
               .taps = 1,
               .order = {true, {}}};
  made.walk.order = paired_order(made.walk);
  // Tensor cores read bfloat16 weights in place, with adjacent channels of the result; TF32 weights, which
  // they read only along the sum, are transposed.
  made.w = {w, weights, g.live_taps(), g.in_channels, g.out_channels};
  made.w_transposed = precision == Precision::kTf32;
  made.w_along_rows = precision == Precision::kBf16;
  made.x = {x, DType::kF32, g.in_volume(), g.in_channels, g.batch};
  made.x_transposed = true;
  made.epilogue = {
      .result = static_cast<float*>(y), .outer_pitch = K * N, .row_pitch = N, .sample_pitch = 1, .rows = K};
  made.outputs = g.out_volume() * g.out_channels * g.batch;
  made.live = g.live_pairs() * made.walk.blocks;
  return made;
}

/// dgrad from dy and w into dx.
inline TensorProduct conv_dgrad_product(const ConvGeometry& g, Precision precision, DType weights,
                                        const void* dy, const void* w, void* dx) {
  const int C = static_cast<int>(g.in_channels), N = static_cast<int>(g.batch);
  TensorProduct made{};
  made.precision = precision;
  made.walk = {.map = conv_map(g),
               .pairs = false,
               .adjoint = true,
               .depth = static_cast<int>(g.out_channels),
               .rows = C,
               .samples = N,
               .blocks = ceil_div(N, kUnitSamples),
               .positions = static_cast<int>(g.in_volume()),
               .taps = 1,
               .order = {true, {}}};
  made.walk.order = paired_order(made.walk);
  made.w = {w, weights, g.live_taps(), g.in_channels, g.out_channels};
  made.x = {dy, DType::kF32, g.out_volume(), g.out_channels, g.batch};
  made.x_transposed = true;
  made.epilogue = {
      .result = static_cast<float*>(dx), .outer_pitch = C * N, .row_pitch = N, .sample_pitch = 1, .rows = C};
  made.outputs = g.in_volume() * g.in_channels * g.batch;
  made.live = g.live_pairs() * made.walk.blocks;
  return made;
}

/// wgrad from x and dy into dw. Samples are adjacent in both, and the sum runs along them.
inline TensorProduct conv_wgrad_product(const ConvGeometry& g, Precision precision, const void* x,
                                        const void* dy, void* dw) {
  const int C = static_cast<int>(g.in_channels), K = static_cast<int>(g.out_channels);
  TensorProduct made{};
  made.precision = precision;
  made.walk = {.map = conv_map(g),
               .pairs = true,
               .adjoint = false,
               .depth = static_cast<int>(g.batch),
               .rows = K,
               .samples = C,
               .blocks = ceil_div(C, kUnitSamples),
               .positions = 1,
               .taps = static_cast<int>(g.live_taps()),
               .order = {true, {}}};
  made.w = {dy, DType::kF32, g.out_volume(), g.out_channels, g.batch};
  made.x = {x, DType::kF32, g.in_volume(), g.in_channels, g.batch};
  made.epilogue = {
      .result = static_cast<float*>(dw), .outer_pitch = C * K, .row_pitch = 1, .sample_pitch = K, .rows = K};
  made.outputs = g.live_taps() * g.in_channels * g.out_channels;
  made.live = g.live_pairs();
  return made;
}

}  // namespace umbra

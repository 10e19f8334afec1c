// fprop and dgrad of a convolution with precision bf16: the loop is engine/ops/conv_bf16.h, which inference
// shares. (wgrad: cpu_4_bf16_wgrad.cpp.)
#include "engine/cpu/bf16_tile.h"
#include "engine/ops/conv/rungs.h"
#include "engine/ops/conv_bf16.h"
#include "engine/ops/conv_taps.h"

namespace umbra {
namespace {

std::string fprop_declines(const ConvFprop& op) {
  return declines_as_bf16(op);
}
std::string dgrad_declines(const ConvDgrad& op) {
  if (op.weights == DType::kBf16) return "it takes weights of type f32 only";
  return declines_as_bf16(op);
}
std::size_t fprop_workspace(const ConvFprop& op) {
  return conv_fprop_bf16_workspace(op.geometry, Bf16Sums::kDots);
}
std::size_t dgrad_workspace(const ConvDgrad& op) {
  return conv_dgrad_bf16_workspace(op.geometry);
}

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream&) {  // x, w -> y
  conv_fprop_bf16(op.geometry, Bf16Sums::kDots, static_cast<const float*>(b[0]), b[1], op.weights,
                  static_cast<float*>(b[2]), workspace, nullptr);
}
void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  conv_dgrad_bf16(op.geometry, static_cast<const float*>(b[0]), static_cast<const float*>(b[1]),
                  static_cast<float*>(b[2]), workspace);
}

}  // namespace

std::string declines_as_bf16(const ConvOp& op) {
  if (op.precision != Precision::kBf16) return "it computes with precision bf16 only";
  if (!bf16_tile_supported()) return "this CPU has no bfloat16 dot product (AVX-512 BF16 or Arm's BF16)";
  return too_many_positions(op.geometry);
}

Kernel conv_fprop_cpu_4_bf16() {
  return make_kernel<ConvFprop, fprop, fprop_declines, fprop_workspace>("conv_fprop", "cpu_4_bf16",
                                                                        DType::kF32);
}
Kernel conv_dgrad_cpu_4_bf16() {
  return make_kernel<ConvDgrad, dgrad, dgrad_declines, dgrad_workspace>("conv_dgrad", "cpu_4_bf16",
                                                                        DType::kF32);
}

}  // namespace umbra

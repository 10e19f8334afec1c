// fprop, dgrad and inference of a convolution with the CPU's dot product of bfloat16; the loop is in
// engine/ops/conv/bf16_tiles.h. (wgrad: cpu_6_bf16_wgrad.cpp.)
#include "engine/ops/conv/bf16_inference.h"
#include "engine/ops/conv/bf16_tiles.h"
#include "engine/ops/conv/declines.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

std::string dgrad_declines(const ConvDgrad& op) {
  const std::string other = declines_bf16_weights(op.weights);
  return other.empty() ? without_addend<declines_unless_bf16_dots<ConvOp>>(op) : other;
}
std::size_t fprop_workspace(const ConvFprop& op) {
  return conv_fprop_bf16_workspace(op.geometry, Bf16Sums::kDots);
}
std::size_t dgrad_workspace(const ConvDgrad& op) {
  return conv_dgrad_bf16_workspace(op.geometry);
}

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream&) {  // x, w -> y
  conv_fprop_bf16(op.geometry, Bf16Sums::kDots, b.in(0), b[1], op.weights, b.out(2), workspace, nullptr);
}
void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  conv_dgrad_bf16(op.geometry, b.in(0), b.in(1), b.out(2), workspace);
}

}  // namespace

Kernel conv_fprop_cpu_6_bf16() {
  return make_kernel<ConvFprop, fprop, declines_unless_bf16_dots<ConvOp>, fprop_workspace>();
}
Kernel conv_dgrad_cpu_6_bf16() {
  return make_kernel<ConvDgrad, dgrad, dgrad_declines, dgrad_workspace>();
}
Kernel conv_inference_cpu_6_bf16() {
  return make_kernel<ConvInference, conv_inference_bf16<Bf16Sums::kDots>,
                     declines_unless_bf16_dots<ConvInference>,
                     conv_inference_bf16_workspace<Bf16Sums::kDots>>();
}

}  // namespace umbra

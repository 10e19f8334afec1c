// fprop and dgrad of a convolution as register tiles over the live taps, fp32: the loop is
// engine/ops/conv_tiles.h, which inference shares. (wgrad: cpu_2_tiles_wgrad.cpp.)
#include "engine/ops/conv/rungs.h"
#include "engine/ops/conv_taps.h"
#include "engine/ops/conv_tiles.h"

namespace umbra {
namespace {

std::string fprop_declines(const ConvFprop& op) {
  return declines_as_fp32(op);
}
std::string dgrad_declines(const ConvDgrad& op) {
  return declines_as_fp32(op);
}
std::size_t fprop_workspace(const ConvFprop& op) {
  return conv_fprop_tiles_workspace(op.geometry);
}
std::size_t dgrad_workspace(const ConvDgrad& op) {
  return conv_dgrad_tiles_workspace(op.geometry);
}

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream&) {  // x, w -> y
  conv_fprop_tiles(op.geometry, static_cast<const float*>(b[0]), static_cast<const float*>(b[1]),
                   static_cast<float*>(b[2]), workspace, nullptr);
}
void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  conv_dgrad_tiles(op.geometry, static_cast<const float*>(b[0]), static_cast<const float*>(b[1]),
                   static_cast<float*>(b[2]), workspace);
}

}  // namespace

std::string declines_as_fp32(const ConvOp& op) {
  if (op.precision != Precision::kF32) return "it computes with precision fp32 only";
  return too_many_positions(op.geometry);
}

Kernel conv_fprop_cpu_2_tiles() {
  return make_kernel<ConvFprop, fprop, fprop_declines, fprop_workspace>("conv_fprop", "cpu_2_tiles",
                                                                        DType::kF32);
}
Kernel conv_dgrad_cpu_2_tiles() {
  return make_kernel<ConvDgrad, dgrad, dgrad_declines, dgrad_workspace>("conv_dgrad", "cpu_2_tiles",
                                                                        DType::kF32);
}

}  // namespace umbra

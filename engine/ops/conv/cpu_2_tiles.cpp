// fprop, dgrad and inference of a convolution as register tiles over the live taps, fp32; the loop is in
// engine/ops/conv/tiles.h. Inference passes each tile to its epilogue while it is in the first-level cache.
// (wgrad: cpu_2_tiles_wgrad.cpp.)
#include "engine/ops/conv/declines.h"
#include "engine/ops/conv/epilogue.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/tiles.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

std::size_t fprop_workspace(const ConvFprop& op) {
  return conv_fprop_tiles_workspace(op.geometry);
}
std::size_t dgrad_workspace(const ConvDgrad& op) {
  return conv_dgrad_tiles_workspace(op.geometry);
}
std::size_t inference_workspace(const ConvInference& op) {
  return ConvEpilogue::workspace(op) + conv_fprop_tiles_workspace(op.geometry);
}

void fprop(const ConvFprop& op, Buffers b, void* workspace, Stream&) {  // x, w -> y
  conv_fprop_tiles(op.geometry, b.in(0), b.in(1), b.out(2), workspace, nullptr);
}
void dgrad(const ConvDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  conv_dgrad_tiles(op.geometry, b.in(0), b.in(1), b.out(2), workspace);
}
void inference(const ConvInference& op, Buffers b, void* memory, Stream&) {
  WorkspaceAllocator allocator(memory);
  const ConvEpilogue epilogue(allocator, op, b);
  conv_fprop_tiles(op.geometry, b.in(0), b.in(1), b.out(7),
                   static_cast<std::byte*>(memory) + allocator.used(), &epilogue);
}

}  // namespace

Kernel conv_fprop_cpu_2_tiles() {
  return make_kernel<ConvFprop, fprop, tiles_decline_unless_fp32<ConvOp>, fprop_workspace>();
}
Kernel conv_dgrad_cpu_2_tiles() {
  return make_kernel<ConvDgrad, dgrad, without_addend<tiles_decline_unless_fp32<ConvOp>>, dgrad_workspace>();
}
Kernel conv_inference_cpu_2_tiles() {
  return make_kernel<ConvInference, inference, tiles_decline_unless_fp32<ConvInference>,
                     inference_workspace>();
}

}  // namespace umbra

// conv's register tiles (engine/ops/conv_tiles.h), each finished while it is in the first-level cache.
#include "engine/ops/conv_inference/finish.h"
#include "engine/ops/conv_inference/rungs.h"
#include "engine/ops/conv_taps.h"

namespace umbra {
namespace {

std::string declines(const ConvInference& op) {
  if (op.precision != Precision::kF32) return "it computes with precision fp32 only";
  return too_many_positions(op.geometry);
}

std::size_t workspace(const ConvInference& op) {
  Carver carver(nullptr);
  ConvInferenceFinish::count(carver, op);
  return carver.used() + conv_fprop_tiles_workspace(op.geometry);
}

void run(const ConvInference& op, Buffers b, void* memory, Stream&) {
  Carver carver(memory);
  const ConvInferenceFinish finish(carver, op, b);
  conv_fprop_tiles(op.geometry, static_cast<const float*>(b[0]), static_cast<const float*>(b[1]),
                   static_cast<float*>(b[7]), static_cast<std::byte*>(memory) + carver.used(), &finish);
}

}  // namespace

Kernel conv_inference_cpu_1_tiles() {
  return make_kernel<ConvInference, run, declines, workspace>("conv_inference", "cpu_1_tiles", DType::kF32);
}

}  // namespace umbra

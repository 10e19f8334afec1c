// What the two bf16 rungs of conv_inference share: conv's loop with rounded operands
// (engine/ops/conv_bf16.h), each tile finished while it is in the first-level cache.
#pragma once

#include "engine/ops/conv_bf16.h"
#include "engine/ops/conv_inference/finish.h"
#include "engine/ops/conv_taps.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <Bf16Sums kSums>
std::size_t conv_inference_bf16_workspace(const ConvInference& op) {
  Carver carver(nullptr);
  ConvInferenceFinish::count(carver, op);
  return carver.used() + conv_fprop_bf16_workspace(op.geometry, kSums);
}

template <Bf16Sums kSums>
void conv_inference_bf16(const ConvInference& op, Buffers b, void* memory, Stream&) {
  Carver carver(memory);
  const ConvInferenceFinish finish(carver, op, b);
  conv_fprop_bf16(op.geometry, kSums, static_cast<const float*>(b[0]), b[1], op.weights,
                  static_cast<float*>(b[7]), static_cast<std::byte*>(memory) + carver.used(), &finish);
}

}  // namespace umbra

// Shared by the two bf16 rungs of conv_inference: the loop with rounded operands (bf16_tiles.h), which
// passes each tile to the epilogue while it is in the first-level cache.
#pragma once

#include "engine/ops/conv/bf16_tiles.h"
#include "engine/ops/conv/epilogue.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <Bf16Sums kSums>
std::size_t conv_inference_bf16_workspace(const ConvInference& op) {
  return ConvEpilogue::workspace(op) + conv_fprop_bf16_workspace(op.geometry, kSums);
}

template <Bf16Sums kSums>
void conv_inference_bf16(const ConvInference& op, Buffers b, void* memory, Stream&) {
  WorkspaceAllocator allocator(memory);
  const ConvEpilogue epilogue(allocator, op, b);
  conv_fprop_bf16(op.geometry, kSums, b.in(0), b[1], op.weights, b.out(7),
                  static_cast<std::byte*>(memory) + allocator.used(), &epilogue);
}

}  // namespace umbra

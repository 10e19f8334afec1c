// Why rungs of the convolution and of its inference do not support an op on the CPU; "" where they do. O is
// ConvOp or ConvInference.
#pragma once

#include <string>

#include "engine/base/precision.h"
#include "engine/cpu/bf16_tile.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/taps.h"

namespace umbra {

/// A rung that computes with precision fp32 and keeps positions in 32 bits. Dilation affects only the lists
/// (taps.h), so all of these rungs support it.
template <class O>
std::string declines_unless_fp32(const O& op) {
  if (op.precision != Precision::kF32) return "it computes with precision fp32 only";
  return too_many_positions(op.geometry);
}
/// … the same in tiles, whose rows and sums run over the channels of one group …
template <class O>
std::string tiles_decline_unless_fp32(const O& op) {
  const std::string other = declines_unless_fp32(op);
  return other.empty() ? declines_groups(op.geometry) : other;
}
/// … with precision bf16 …
template <class O>
std::string declines_unless_bf16(const O& op) {
  if (op.precision != Precision::kBf16) return "it computes with precision bf16 only";
  const std::string reason = declines_groups(op.geometry);
  return reason.empty() ? too_many_positions(op.geometry) : reason;
}
/// … and with the CPU's dot product.
template <class O>
std::string declines_unless_bf16_dots(const O& op) {
  const bool missing = op.precision == Precision::kBf16 && !bf16_tile_supported();
  if (missing) return "this CPU has no bfloat16 dot product (AVX-512 BF16 or Arm's BF16)";
  return declines_unless_bf16(op);
}

/// … and for dgrad: on the CPU only the reference adds to another gradient; the tape does so with Add, whose call
/// costs little there.
template <std::string (*kOthers)(const ConvOp&)>
std::string without_addend(const ConvDgrad& op) {
  return op.addend ? "it adds to no other gradient" : kOthers(op);
}

}  // namespace umbra

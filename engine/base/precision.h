// Precision: what the operands of a product are rounded to inside an op that offers the choice. Numbers in
// memory and sums keep the op's dtype: bf16 means fp32 memory, operands rounded to bfloat16, fp32 sums. (The
// weights of a network that is only asked may stand in memory as bfloat16, too: engine/nn/module.h.)
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace umbra {

enum class Precision { kF32, kBf16 };

/// As in the setting `precision`: "fp32", "bf16".
inline std::string_view name_of(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "fp32";
}

/// The bits of the bfloat16 (1 sign, 8 exponent, 7 mantissa bits) nearest to `value`, ties to even. Beyond
/// the largest one it is infinity; a NaN stays one (quiet). Denormals are rounded like any other number.
inline std::uint32_t bf16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  const std::uint32_t quiet_nan = bits >> 16 | 0x40;
  return (bits & 0x7fffffff) > 0x7f800000 ? quiet_nan : rounded;
}

/// A bfloat16 in memory: two bytes, no arithmetic. Numbers are rounded to nearest, ties to even.
struct Bf16 {
  std::uint16_t bits;

  Bf16() = default;
  explicit Bf16(float value) : bits(static_cast<std::uint16_t>(bf16_bits(value))) {}
  /// In two roundings, of which the first is none for a double that a float holds.
  explicit Bf16(double value) : Bf16(static_cast<float>(value)) {}
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

/// The float nearest to `value` that a bfloat16 can hold.
inline float round_to_bf16(float value) {
  return std::bit_cast<float>(bf16_bits(value) << 16);
}
/// For a double that a float holds exactly, as the inputs of a reference do.
inline double round_to_bf16(double value) {
  return static_cast<double>(round_to_bf16(static_cast<float>(value)));
}

}  // namespace umbra

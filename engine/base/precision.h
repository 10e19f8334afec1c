// Precision: the format to which an op that supports several rounds the operands of its products. Memory and
// sums keep the op's dtype: tf32 and bf16 mean fp32 in memory, rounded operands and fp32 sums. (Weights may
// be stored as bfloat16, or have a bfloat16 copy: precision_policy.h.)
//
// The roundings are those of NVIDIA's conversion instructions for tensor-core operands, cvt.rna.tf32.f32 and
// cvt.rn.bf16.f32, so that every device computes with the same numbers.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace umbra {

enum class Precision { kF32, kTf32, kBf16 };

inline constexpr Precision kPrecisions[] = {Precision::kF32, Precision::kTf32, Precision::kBf16};

/// The value of the setting `precision`: "fp32", "tf32", "bf16".
constexpr std::string_view name_of(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : precision == Precision::kTf32 ? "tf32" : "fp32";
}
/// The precision of that name, or none.
constexpr std::optional<Precision> precision_named(std::string_view name) {
  for (const Precision precision : kPrecisions) {
    if (name_of(precision) == name) return precision;
  }
  return std::nullopt;
}

/// The nearest TF32 number (8 exponent bits, 10 mantissa bits), ties away from zero. Values beyond the
/// largest one become infinity; a NaN becomes a quiet NaN.
constexpr float round_to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x1000) & ~std::uint32_t{0x1fff};
  const std::uint32_t quiet_nan = (bits | 0x400000) & ~std::uint32_t{0x1fff};
  return std::bit_cast<float>((bits & 0x7fffffff) > 0x7f800000 ? quiet_nan : rounded);
}
/// For a double that a float holds exactly, as the inputs of a reference do.
constexpr double round_to_tf32(double value) {
  return static_cast<double>(round_to_tf32(static_cast<float>(value)));
}

/// The bits of the bfloat16 (1 sign, 8 exponent, 7 mantissa bits) nearest to `value`, ties to even. Values
/// beyond the largest one become infinity; a NaN becomes a quiet NaN. Denormals are rounded like other
/// numbers.
constexpr std::uint32_t bf16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  const std::uint32_t quiet_nan = bits >> 16 | 0x40;
  return (bits & 0x7fffffff) > 0x7f800000 ? quiet_nan : rounded;
}

/// A bfloat16 in memory: two bytes, no arithmetic. Conversions round to nearest, ties to even.
struct Bf16 {
  std::uint16_t bits;

  Bf16() = default;
  constexpr explicit Bf16(float value) : bits(static_cast<std::uint16_t>(bf16_bits(value))) {}
  /// Rounds twice; the first rounding is exact for a double that a float can represent.
  constexpr explicit Bf16(double value) : Bf16(static_cast<float>(value)) {}
  constexpr operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

/// The bfloat16 number nearest to `value`.
constexpr float round_to_bf16(float value) {
  return std::bit_cast<float>(bf16_bits(value) << 16);
}
/// For a double that a float holds exactly, as the inputs of a reference do.
constexpr double round_to_bf16(double value) {
  return static_cast<double>(round_to_bf16(static_cast<float>(value)));
}

/// `value` as an operand of that precision. A double must be exactly representable as a float.
template <class T>
constexpr T rounded_to(Precision precision, T value) {
  if (precision == Precision::kTf32) return round_to_tf32(value);
  return precision == Precision::kBf16 ? round_to_bf16(value) : value;
}

/// Calls `body` with the function that rounds an operand to `precision`.
template <class Body>
void with_rounding(Precision precision, const Body& body) {
  if (precision == Precision::kF32) return body([](auto value) { return value; });
  if (precision == Precision::kTf32) return body([](auto value) { return round_to_tf32(value); });
  body([](auto value) { return round_to_bf16(value); });
}

}  // namespace umbra

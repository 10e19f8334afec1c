// Mutants that do not round the operands of a product to nearest (tf32: ties away from zero, bf16: ties to
// even). The bound must be narrow enough, and the inputs sensitive enough, to reject all of them.
#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "engine/base/precision.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/matmul/op.h"
#include "engine/ops/matmul/reference.h"
#include "tests/engine/mutants.h"

namespace umbra {
namespace {

float truncated_to(int bits, float value) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) >> bits << bits);
}
float tf32_truncated(float value) {
  return truncated_to(13, value);
}
float tf32_ties_to_even(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfff + (bits >> 13 & 1)) >> 13 << 13);
}
float tf32_not_rounded(float value) {
  return value;
}
float tf32_as_bf16(float value) {
  return round_to_bf16(value);
}
float bf16_truncated(float value) {
  return truncated_to(16, value);
}
float bf16_ties_away(float value) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0x8000) >> 16 << 16);
}

template <auto Rounded>
void rounds_otherwise(const ConvFprop& op, Buffers b, void*, Stream&) {
  conv_fprop_reference(op.geometry, b.in(0), b.in(1), b.out(2), Rounded);
}
template <auto Rounded>
void rounds_otherwise(const ConvWgrad& op, Buffers b, void*, Stream&) {
  conv_wgrad_reference(op.geometry, b.in(0), b.in(1), b.out(2), Rounded);
}
template <auto Rounded>
void rounds_otherwise(const LinearDgrad& op, Buffers b, void*, Stream&) {
  linear_dgrad_reference(op.rows, op.in, op.out, b.in(0), b.in(1), b.out(2), Rounded);
}
template <class O, Precision kPrecision>
std::string only(const O& op) {
  return declines_other_precisions(kPrecision, op.precision, op.weights);
}
/// A mutant that rounds only the weights or only the activations correctly must be rejected, too.
template <auto Rounded>
void rounds_one_operand_otherwise(const ConvFprop& op, Buffers b, void*, Stream&) {
  std::vector<float> w(b.in(1), b.in(1) + op.buffers()[1].count), x(b.in(0), b.in(0) + op.buffers()[0].count);
  for (float& value : w) value = rounded_to(op.precision, value);
  for (float& value : x) value = Rounded(value);
  conv_fprop_reference(op.geometry, x.data(), w.data(), b.out(2));
}

template <class O, Precision kPrecision, auto Run>
void expect_rounding_caught(std::string_view what) {
  expect_caught(make_kernel<O, Run, only<O, kPrecision>>(what), "got");
}
template <class O, Precision kPrecision, auto Rounded>
void expect_rounding_caught_in(std::string_view what) {
  constexpr void (*kRun)(const O&, Buffers, void*, Stream&) = rounds_otherwise<Rounded>;
  expect_rounding_caught<O, kPrecision, kRun>(what);
}

TEST(Mutants, RoundsOtherwise) {
  constexpr Precision kTf32 = Precision::kTf32, kBf16 = Precision::kBf16;
  expect_rounding_caught_in<ConvFprop, kTf32, tf32_truncated>("truncated");
  expect_rounding_caught_in<ConvFprop, kTf32, tf32_ties_to_even>("ties_to_even");
  expect_rounding_caught_in<ConvFprop, kTf32, tf32_not_rounded>("not_rounded");
  expect_rounding_caught_in<ConvFprop, kTf32, tf32_as_bf16>("as_bf16");
  expect_rounding_caught_in<ConvFprop, kBf16, bf16_truncated>("bf16_truncated");
  expect_rounding_caught_in<ConvFprop, kBf16, bf16_ties_away>("bf16_ties_away");
  expect_rounding_caught_in<ConvWgrad, kTf32, tf32_truncated>("truncated");
  expect_rounding_caught_in<ConvWgrad, kTf32, tf32_ties_to_even>("ties_to_even");
  expect_rounding_caught_in<LinearDgrad, kTf32, tf32_truncated>("truncated");
  expect_rounding_caught_in<LinearDgrad, kTf32, tf32_ties_to_even>("ties_to_even");
  expect_rounding_caught<ConvFprop, kTf32, rounds_one_operand_otherwise<tf32_truncated>>("one");
}
// The same kernels with the correct rounding.
TEST(Mutants, CorrectRoundingPasses) {
  constexpr auto kRounded = [](float value) { return round_to_tf32(value); };
  constexpr void (*kRun)(const LinearDgrad&, Buffers, void*, Stream&) = rounds_otherwise<kRounded>;
  const gauntlet::Report report =
      run_gauntlet(make_kernel<LinearDgrad, kRun, only<LinearDgrad, Precision::kTf32>>("right"));
  EXPECT_TRUE(report.failures.empty()) << report.failures.front();
}

}  // namespace
}  // namespace umbra

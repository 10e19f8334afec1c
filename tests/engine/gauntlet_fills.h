// The numbers with which the gauntlet feeds a kernel: pure functions of (seed, buffer, index), held as double
// and exact in the dtype of the buffer, so that the double-precision reference sees the very same numbers.
#pragma once

#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "engine/base/philox.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv_inference/op.h"
#include "engine/ops/gather_boxes/op.h"
#include "engine/ops/linear/op.h"
#include "engine/ops/max_pool/reference.h"
#include "engine/ops/op.h"
#include "engine/ops/reduce/op.h"

namespace umbra::gauntlet {

enum class Pattern {
  kNormal,      // about standard normal
  kIntegers,    // integers in [-4, 4]: every sum is exact, so every order of it gives the same number
  kMagnitudes,  // 2^-12 … 2^12 with either sign, a sixteenth zeros
  kOffset,      // a mean of 1000 with a spread of 1: what cancels, cancels
};
inline constexpr Pattern kPatterns[] = {Pattern::kNormal, Pattern::kIntegers, Pattern::kMagnitudes,
                                        Pattern::kOffset};

inline std::string_view name_of(Pattern pattern) {
  switch (pattern) {
    case Pattern::kNormal:
      return "normal";
    case Pattern::kIntegers:
      return "integers";
    case Pattern::kMagnitudes:
      return "magnitudes";
    case Pattern::kOffset:
      return "offset";
  }
  return "?";
}

/// About standard normal from one word: the sum of its four bytes, centred and scaled (an Irwin-Hall sum).
/// Cheap, bounded by 3.5, and symmetric.
inline double roughly_normal(std::uint32_t word) {
  const std::uint32_t sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24);
  return (static_cast<double>(sum) - 510.0) / 147.8 + static_cast<double>(word % 1021) * 1e-5;
}

inline double number_from(std::uint32_t word, Pattern pattern, Fill fill) {
  const bool positive = fill == Fill::kPositive;
  switch (pattern) {
    case Pattern::kNormal:
      return positive ? std::abs(roughly_normal(word)) + 0.1 : roughly_normal(word);
    case Pattern::kIntegers:
      return positive ? 1.0 + word % 4 : static_cast<double>(word % 9) - 4.0;
    case Pattern::kMagnitudes: {
      const double size = std::ldexp(1.0 + (word >> 16) * 0x1p-16, static_cast<int>(word % 25) - 12);
      if (positive) return size;
      if ((word >> 8 & 15) == 0) return 0.0;
      return (word >> 12 & 1) != 0 ? size : -size;
    }
    case Pattern::kOffset:
      return 1000.0 + roughly_normal(word);
  }
  return 0;
}

inline std::vector<double> make_values(const BufferSpec& spec, Pattern pattern, const Rng& rng) {
  std::vector<double> values(static_cast<std::size_t>(spec.count));
  Philox4 words{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % 4 == 0) words = rng.words(i / 4);
    const std::uint32_t word = words[i % 4];
    double value = number_from(word, pattern, spec.fill);
    if (spec.fill == Fill::kIndex) value = static_cast<double>(word % static_cast<std::uint64_t>(spec.bound));
    values[i] = spec.dtype == DType::kF32    ? static_cast<double>(static_cast<float>(value))
                : spec.dtype == DType::kBf16 ? static_cast<double>(Bf16(value))
                                             : value;
  }
  return values;
}

/// The winners of real windows: a kernel may rely on argmax lying in the window of its output.
inline void fit_argmax(const PoolGeometry& g, const Rng& rng, std::vector<double>& argmax) {
  std::vector<double> x(static_cast<std::size_t>(g.in_volume() * g.row()));
  Philox4 words{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % 4 == 0) words = rng.words(i / 4);
    x[i] = roughly_normal(words[i % 4]);
  }
  std::size_t at = 0;
  for (std::int64_t i = 0; i < g.out(0); ++i) {
    for (std::int64_t j = 0; j < g.out(1); ++j) {
      for (std::int64_t k = 0; k < g.out(2); ++k) {
        for (std::int64_t cn = 0; cn < g.row(); ++cn)
          argmax[at++] = static_cast<double>(pool_winner(g, x.data() + cn, g.row(), i, j, k));
      }
    }
  }
}

/// Windows as a data set draws them: boxes that exist, axes in some order, shifts below the extent.
inline void fit_windows(const GatherBoxes& op, const Rng& rng, std::vector<double>& numbers) {
  constexpr std::array<std::array<int, 3>, 6> kOrders = {
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  std::uint64_t draw = 0;
  const auto below = [&](std::int64_t bound) {
    return static_cast<double>(rng.below(draw++, static_cast<std::uint64_t>(bound)));
  };
  std::size_t at = 0;
  for (std::int64_t n = 0; n < op.batch; ++n) {
    for (int k = 0; k < 8; ++k) numbers[at++] = below(op.boxes);
    const auto order = kOrders[static_cast<std::size_t>(below(6))];
    for (int axis : order) numbers[at++] = axis;
    for (int a = 0; a < 3; ++a) numbers[at++] = below(2);
    for (int a = 0; a < 3; ++a) numbers[at++] = below(2 * op.voxels - 1) - static_cast<double>(op.voxels - 1);
  }
}

/// What an op rounds its first two buffers to.
inline Precision precision_of(const Op& op) {
  if (const auto* conv = dynamic_cast<const ConvOp*>(&op)) return conv->precision;
  if (const auto* fused = dynamic_cast<const ConvInference*>(&op)) return fused->precision;
  const auto* linear = dynamic_cast<const LinearOp*>(&op);
  return linear == nullptr ? Precision::kF32 : linear->precision;
}

/// Numbers for every buffer that the kernel reads; outputs stay empty.
inline std::vector<std::vector<double>> make_inputs(const Op& op, Pattern pattern, std::uint64_t seed) {
  const std::vector<BufferSpec> specs = op.buffers();
  std::vector<std::vector<double>> values(specs.size());
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access == Access::kOut) continue;
    values[b] = make_values(specs[b], pattern, Rng(seed, Purpose::kTest, b));
  }
  if (const auto* pool = dynamic_cast<const MaxPoolBackward*>(&op)) {
    fit_argmax(pool->geometry, Rng(seed, Purpose::kTest, specs.size()), values[1]);
  }
  if (const auto* gather = dynamic_cast<const GatherBoxes*>(&op)) {
    fit_windows(*gather, Rng(seed, Purpose::kTest, specs.size()), values[1]);
  }
  // 1000 +- 3.5 is 1000 in bfloat16, whose neighbours are 4 apart there (in TF32 1/2): all terms of a sum
  // would be the same number and all its roundings of one sign, which the bound does not allow for.
  const double wider = precision_of(op) == Precision::kBf16   ? 64
                       : precision_of(op) == Precision::kTf32 ? 8
                                                              : 1;
  if (wider != 1 && pattern == Pattern::kOffset) {
    for (std::size_t b = 0; b < 2; ++b) {
      for (double& value : values[b]) {
        value = 1000 + wider * (value - 1000);
        if (specs[b].dtype == DType::kBf16) value = static_cast<double>(Bf16(value));
      }
    }
  }
  if (dynamic_cast<const CountNonfinite*>(&op) != nullptr) {  // without these there would be nothing to count
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    for (std::size_t i = 3; i < values[0].size(); i += 7) {
      values[0][i] = i % 3 == 0   ? kInfinity
                     : i % 3 == 1 ? -kInfinity
                                  : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return values;
}

}  // namespace umbra::gauntlet

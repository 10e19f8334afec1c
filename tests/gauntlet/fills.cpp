#include "tests/gauntlet/fills.h"

#include <cmath>

namespace umbra::gauntlet {
namespace {

double number_from(std::uint32_t word, Pattern pattern, Fill fill) {
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

std::vector<double> make_values(const BufferSpec& spec, Pattern pattern, const Rng& rng) {
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

// 1000 +- 3.5 is 1000 in bfloat16, whose neighbours are 4 apart there (in TF32 1/2): all terms of a sum would
// be the same number and all its roundings of one sign, which the bound does not allow for.
void widen_offset(Precision operands, const std::vector<BufferSpec>& specs, Values& in) {
  const double wider = operands == Precision::kBf16 ? 64 : operands == Precision::kTf32 ? 8 : 1;
  if (wider == 1) return;
  for (std::size_t b = 0; b < 2; ++b) {
    for (double& value : in[b]) {
      value = 1000 + wider * (value - 1000);
      if (specs[b].dtype == DType::kBf16) value = static_cast<double>(Bf16(value));
    }
  }
}

}  // namespace

std::string_view name_of(Pattern pattern) {
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

double roughly_normal(std::uint32_t word) {
  const std::uint32_t sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24);
  return (static_cast<double>(sum) - 510.0) / 147.8 + static_cast<double>(word % 1021) * 1e-5;
}

Values make_inputs(const Op& op, const OpRules& rules, Pattern pattern, std::uint64_t seed) {
  const std::vector<BufferSpec> specs = op.buffers();
  Values in(specs.size());
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access != Access::kOut) in[b] = make_values(specs[b], pattern, Rng(seed, Purpose::kTest, b));
  }
  if (rules.precision != nullptr && pattern == Pattern::kOffset) {
    widen_offset(rules.precision(op), specs, in);
  }
  if (rules.fill != nullptr) rules.fill(op, Rng(seed, Purpose::kTest, specs.size()), in);
  return in;
}

}  // namespace umbra::gauntlet

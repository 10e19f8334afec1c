// What a device can do at best: two ops that do nothing else than one kind of work. Every percentage of a
// peak or of a roofline in this repository is of their measured rates.
//
//   peak_fma    y[i] = sum over j < 16 of s_j,  s_j = x[i] + j,  then `rounds` times  s_j <- a s_j + b
//               with a = 1 - 2^-10 and b = 2^-10: multiply-adds in registers, one load and one store per 32 *
//               rounds
//   peak_copy   y[i] = x[i]: one load and one store
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

inline constexpr int kPeakChains = 16;  // enough to hide the latency of a multiply-add
inline constexpr double kPeakFactor = 1 - 0x1p-10, kPeakShift = 0x1p-10;

class PeakFma final : public Op {
 public:
  PeakFma(DType type, std::int64_t count_, std::int64_t rounds_) : Op(type), count(count_), rounds(rounds_) {}
  std::string_view name() const override { return "peak_fma"; }
  std::string text() const override { return concat("n", count, " rounds", rounds); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  double flops() const override {
    return 2.0 * kPeakChains * static_cast<double>(rounds) * static_cast<double>(count);
  }
  double sum_length() const override { return static_cast<double>(rounds + kPeakChains); }

  std::int64_t count;
  std::int64_t rounds;
};

class PeakCopy final : public Op {
 public:
  PeakCopy(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string_view name() const override { return "peak_copy"; }
  std::string text() const override { return concat("n", count); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  double flops() const override { return 0; }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

}  // namespace umbra

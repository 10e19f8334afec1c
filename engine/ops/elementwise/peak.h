// The device's peak rates: two ops that each do one kind of work only. Every percentage of a peak or of a
// roofline in this repository refers to their measured rates.
//
//   peak_fma    y[i] = sum over j < 16 of s_j,  s_j = x[i] + j,  then `rounds` times  s_j <- a s_j + b
//               with a = 1 - 2^-10 and b = 2^-10: multiply-adds in registers, one load and one store per
//               32 * rounds
//   peak_copy   y[i] = x[i]: one load and one store
#pragma once

#include "engine/ops/elementwise/elements.h"

namespace umbra {

inline constexpr int kPeakChains = 16;  // enough to hide the latency of a multiply-add
inline constexpr double kPeakFactor = 1 - 0x1p-10, kPeakShift = 0x1p-10;

class PeakFma final : public ElementwiseOp {
 public:
  PeakFma(DType type, std::int64_t count_, std::int64_t rounds_)
      : ElementwiseOp(type, count_), rounds(rounds_) {}
  static constexpr std::string_view kName = "peak_fma";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", count, " rounds", rounds); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  double flops() const override {
    return 2.0 * kPeakChains * static_cast<double>(rounds) * static_cast<double>(count);
  }
  double sum_length() const override { return static_cast<double>(rounds + kPeakChains); }
  bool exact_on_integers() const override { return false; }

  std::int64_t rounds;
};

class PeakCopy final : public ElementwiseOp {
 public:
  using ElementwiseOp::ElementwiseOp;
  static constexpr std::string_view kName = "peak_copy";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"y", dtype, count, Access::kOut}};
  }
  double flops() const override { return 0; }
};

template <class T>
void peak_fma_reference(const PeakFma& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);
  T* y = buffers.out<T>(1);
  for (std::int64_t i = 0; i < op.count; ++i) {
    T sum(0);
    for (int j = 0; j < kPeakChains; ++j) {
      T s = x[i] + T(j);
      for (std::int64_t r = 0; r < op.rounds; ++r) s = s * T(kPeakFactor) + T(kPeakShift);
      sum += s;
    }
    y[i] = sum;
  }
}

template <class T>
void peak_copy_reference(const PeakCopy& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);
  T* y = buffers.out<T>(1);
  for (std::int64_t i = 0; i < op.count; ++i) y[i] = x[i];
}

}  // namespace umbra

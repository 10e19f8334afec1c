// Reductions of a whole buffer to one number, accumulated in double in a fixed order:
// sum  s = sum x;  sum_squares  s = sum x^2;  count_nonfinite  n = the count of numbers that are NaN or
// infinite.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class Reduction : public Op {
 public:
  Reduction(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string text() const override { return concat("n", count); }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

class Sum final : public Reduction {
 public:
  using Reduction::Reduction;
  static constexpr std::string_view kName = "sum";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"s", DType::kF64, 1, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(count); }
  double sum_length() const override { return static_cast<double>(count); }
};

class SumSquares final : public Reduction {
 public:
  using Reduction::Reduction;
  static constexpr std::string_view kName = "sum_squares";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"s", DType::kF64, 1, Access::kOut}};
  }
  double flops() const override { return 2 * static_cast<double>(count); }
  double sum_length() const override { return static_cast<double>(count); }
};

class CountNonfinite final : public Reduction {
 public:
  using Reduction::Reduction;
  static constexpr std::string_view kName = "count_nonfinite";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"n", DType::kI64, 1, Access::kOut}};
  }
  double flops() const override { return 0; }
};

}  // namespace umbra

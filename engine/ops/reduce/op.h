// Reductions of a whole buffer to one number, accumulated in double in a fixed order:
// sum  s = sum x;  sum_squares  s = sum x^2;  count_nonfinite  n = how many are NaN or
// infinite.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class Sum final : public Op {
 public:
  Sum(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string_view name() const override { return "sum"; }
  std::string text() const override { return concat("n", count); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"s", DType::kF64, 1, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(count); }
  double sum_length() const override { return static_cast<double>(count); }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

class SumSquares final : public Op {
 public:
  SumSquares(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string_view name() const override { return "sum_squares"; }
  std::string text() const override { return concat("n", count); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"s", DType::kF64, 1, Access::kOut}};
  }
  double flops() const override { return 2 * static_cast<double>(count); }
  double sum_length() const override { return static_cast<double>(count); }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

class CountNonfinite final : public Op {
 public:
  CountNonfinite(DType type, std::int64_t count_) : Op(type), count(count_) {}
  std::string_view name() const override { return "count_nonfinite"; }
  std::string text() const override { return concat("n", count); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count, Access::kIn}, {"n", DType::kI64, 1, Access::kOut}};
  }
  double flops() const override { return 0; }
  bool exact_on_integers() const override { return true; }

  std::int64_t count;
};

}  // namespace umbra

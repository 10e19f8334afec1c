// Squared error over all elements:  loss = 1/(N K) sum (p - t)^2,   dp = 2 (p - t) / (N K); without the
// factor 1/(N K) for the sum. Where nothing is reduced,  loss[n, k] = (p - t)^2,   dp = 2 (p - t):
// each element is the derivative of its own loss.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/loss/reduction.h"
#include "engine/ops/op.h"

namespace umbra {

class MeanSquaredError final : public Op {
 public:
  MeanSquaredError(DType type, std::int64_t rows_, std::int64_t columns_, Reduce reduce_ = Reduce::kMean)
      : Op(type), rows(rows_), columns(columns_), reduce(reduce_) {}
  static constexpr std::string_view kName = "mean_squared_error";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns, reduce_text(reduce)); }
  std::vector<BufferSpec> buffers() const override {
    return {{"p", dtype, rows * columns, Access::kIn},
            {"t", dtype, rows * columns, Access::kIn},
            {"loss", dtype, reduce == Reduce::kNone ? rows * columns : 1, Access::kOut},
            {"dp", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 3 * static_cast<double>(rows * columns); }
  double sum_length() const override {
    return reduce == Reduce::kNone ? 1 : static_cast<double>(rows * columns);
  }
  /// The divisor of the sum of squares.
  double divisor() const { return reduce == Reduce::kMean ? static_cast<double>(rows * columns) : 1; }

  std::int64_t rows;
  std::int64_t columns;
  Reduce reduce;
};

}  // namespace umbra

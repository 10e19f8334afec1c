// Mean squared error over all elements:  loss = 1/(N K) sum (p - t)^2,   dp = 2 (p - t) / (N K).
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class MeanSquaredError final : public Op {
 public:
  MeanSquaredError(DType type, std::int64_t rows_, std::int64_t columns_)
      : Op(type), rows(rows_), columns(columns_) {}
  static constexpr std::string_view kName = "mean_squared_error";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns); }
  std::vector<BufferSpec> buffers() const override {
    return {{"p", dtype, rows * columns, Access::kIn},
            {"t", dtype, rows * columns, Access::kIn},
            {"loss", dtype, 1, Access::kOut},
            {"dp", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 3 * static_cast<double>(rows * columns); }
  double sum_length() const override { return static_cast<double>(rows * columns); }

  std::int64_t rows;
  std::int64_t columns;
};

}  // namespace umbra

// Every row of a matrix times its own factor,  x[n, k] <- x[n, k] factor[n]: the chain rule of losses that
// are not reduced, whose gradients are computed with them.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class ScaleRows final : public Op {
 public:
  ScaleRows(DType type, std::int64_t rows_, std::int64_t columns_)
      : Op(type), rows(rows_), columns(columns_) {}
  static constexpr std::string_view kName = "scale_rows";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, rows * columns, Access::kInOut}, {"factor", dtype, rows, Access::kIn}};
  }
  double flops() const override { return static_cast<double>(rows * columns); }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t columns;
};

}  // namespace umbra

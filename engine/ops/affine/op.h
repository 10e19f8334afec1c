// Fixed affine map of columns:  y[n, b] = scale[b] x[n, b] + shift[b]  (labels standardised per bin, undone),
// with adjoint dx[n, b] = scale[b] dy[n, b].  scale and shift are not learnt.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class AffineForward final : public Op {
 public:
  AffineForward(DType type, std::int64_t rows_, std::int64_t columns_)
      : Op(type), rows(rows_), columns(columns_) {}
  std::string_view name() const override { return "affine_forward"; }
  std::string text() const override { return concat("n", rows, " k", columns); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, rows * columns, Access::kIn},
            {"scale", dtype, columns, Access::kIn},
            {"shift", dtype, columns, Access::kIn},
            {"y", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 2 * static_cast<double>(rows * columns); }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t columns;
};

class AffineBackward final : public Op {
 public:
  AffineBackward(DType type, std::int64_t rows_, std::int64_t columns_)
      : Op(type), rows(rows_), columns(columns_) {}
  std::string_view name() const override { return "affine_backward"; }
  std::string text() const override { return concat("n", rows, " k", columns); }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, rows * columns, Access::kIn},
            {"scale", dtype, columns, Access::kIn},
            {"dx", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(rows * columns); }
  bool exact_on_integers() const override { return true; }

  std::int64_t rows;
  std::int64_t columns;
};

}  // namespace umbra

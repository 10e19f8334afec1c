// The two chi^2 losses of stellar mass functions phi [N boxes, B bins] with errors sigma [B] (diagonal
// covariance).
//
// chi2_linear, which the code of Nadler & To (2018) minimises:
//   loss = 1/N sum over n, b of ((p - t) / sigma_b)^2
// chi2_log, their Eq. (1):
//   loss = 1/(N B) sum over n, b of ((L(p) - L(max(t, floor))) / sigma_b)^2,   L(q) = log10 q for q >= floor,
//   continued below by its tangent log10(floor) + (q - floor) / (floor ln 10), so that an empty bin costs a
//   finite amount and a negative prediction still has a gradient. Here sigma_b is in dex.
// The same call computes the gradient with respect to p.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class Chi2Linear final : public Op {
 public:
  Chi2Linear(DType type, std::int64_t rows_, std::int64_t columns_)
      : Op(type), rows(rows_), columns(columns_) {}
  static constexpr std::string_view kName = "chi2_linear";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns); }
  std::vector<BufferSpec> buffers() const override {
    return {{"p", dtype, rows * columns, Access::kIn},
            {"t", dtype, rows * columns, Access::kIn},
            {"sigma", dtype, columns, Access::kIn, Fill::kPositive},
            {"loss", dtype, 1, Access::kOut},
            {"dp", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 5 * static_cast<double>(rows * columns); }
  double sum_length() const override { return static_cast<double>(rows * columns); }

  std::int64_t rows;
  std::int64_t columns;
};

class Chi2Log final : public Op {
 public:
  Chi2Log(DType type, std::int64_t rows_, std::int64_t columns_, double floor_)
      : Op(type), rows(rows_), columns(columns_), floor(floor_) {}
  static constexpr std::string_view kName = "chi2_log";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns, " floor", floor); }
  std::vector<BufferSpec> buffers() const override {
    return {{"p", dtype, rows * columns, Access::kIn},
            {"t", dtype, rows * columns, Access::kIn, Fill::kPositive},
            {"sigma", dtype, columns, Access::kIn, Fill::kPositive},
            {"loss", dtype, 1, Access::kOut},
            {"dp", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 9 * static_cast<double>(rows * columns); }
  double sum_length() const override { return static_cast<double>(rows * columns); }

  std::int64_t rows;
  std::int64_t columns;
  double floor;
};

}  // namespace umbra

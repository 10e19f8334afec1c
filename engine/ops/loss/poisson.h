// The Poisson likelihood of counts, for mass functions phi [N boxes, B bins]: p is the predicted one, t the
// observed one, and a bin of a box with phi = 1 holds `exposure` galaxies (volume times width of the bin).
//   loss = 1/N sum over n, b of (mu - k L(mu)),   mu = exposure p,   k = exposure t,
//   L(mu) = log mu for mu >= kSmallestMean, continued below by its tangent log m + (mu - m) / m, so that a
//   prediction of 0 has a finite loss and gradient.
// This is the negative log likelihood without the sum of log k!, which does not depend on p. As in
// torch.nn.functional.poisson_nll_loss it can be negative. The same call computes the gradient with respect
// to p, exposure (1 - k / max(mu, kSmallestMean)) / N.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class Poisson final : public Op {
 public:
  /// m above: far below any rate of counts, and so large that the gradient at 0 is finite in f32.
  static constexpr double kSmallestMean = 1e-20;

  Poisson(DType type, std::int64_t rows_, std::int64_t columns_, double exposure_)
      : Op(type), rows(rows_), columns(columns_), exposure(exposure_) {}
  static constexpr std::string_view kName = "poisson";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", rows, " k", columns, " exposure", exposure); }
  std::vector<BufferSpec> buffers() const override {
    return {{"p", dtype, rows * columns, Access::kIn, Fill::kPositive},
            {"t", dtype, rows * columns, Access::kIn, Fill::kPositive},
            {"loss", dtype, 1, Access::kOut},
            {"dp", dtype, rows * columns, Access::kOut}};
  }
  double flops() const override { return 8 * static_cast<double>(rows * columns); }
  double sum_length() const override { return static_cast<double>(rows * columns); }

  std::int64_t rows;
  std::int64_t columns;
  double exposure;
};

}  // namespace umbra

// Softmax in the gauntlet: its bounds, and outputs that are valid logarithms of probabilities.
#include <cmath>

#include "engine/ops/softmax/op.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Bound, gauntlet::bound, gauntlet::fill, gauntlet::Values;
using gauntlet::magnitudes_of_outputs, gauntlet::usual_growth;

/// Everything but the result is held in double, and the result is rounded relative to itself; that of softmax
/// is rounded again when it is divided by the sum. This makes a few roundings of float for a row of any
/// length. Nothing cancels: in the logarithm, x - max and -log(sum) are both negative. But where one number
/// outweighs all others log(sum) is close to 0, and the sum, close to 1, has been rounded in double once per
/// term.
Bound bound_of(const SoftmaxForward& op, const Values&, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), 16};
  constexpr double kOneInDouble = 0x1p-53 / 0x1p-24;  // a rounding of 1 in double, in roundings of float
  if (op.log)
    for (double& magnitude : bound.magnitude[1]) magnitude += kOneInDouble * usual_growth(op) / bound.growth;
  return bound;
}

/// A gradient is linear in dy: f (dy - sum over k of g dy) with f = g = y, of the logarithm
/// dy - exp(y) sum dy. The sizes of the terms of the difference do not cancel.
Bound bound_of(const SoftmaxBackward& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const auto at = [&](std::int64_t row, std::int64_t k) {
    return static_cast<std::size_t>(op.first(row) + k * op.inner);
  };
  for (std::int64_t row = 0; row < op.rows(); ++row) {
    double sum = 0;
    for (std::int64_t k = 0; k < op.extent; ++k)
      sum += std::abs(in[0][at(row, k)]) * (op.log ? 1 : std::abs(in[1][at(row, k)]));
    for (std::int64_t k = 0; k < op.extent; ++k) {
      const double dy = std::abs(in[0][at(row, k)]), y = in[1][at(row, k)];
      bound.magnitude[2][at(row, k)] = op.log ? dy + std::exp(y) * sum : std::abs(y) * (dy + sum);
    }
  }
  return bound;
}

/// Logarithms of probabilities are not positive.
void fit_logarithms(const SoftmaxBackward& op, const Rng&, Values& in) {
  if (!op.log) return;
  for (double& y : in[1]) y = -std::abs(y);
}

}  // namespace

std::vector<gauntlet::OpRules> softmax_rules() {
  return {{.op = SoftmaxForward::kName, .bound = bound<SoftmaxForward, bound_of>},
          {.op = SoftmaxBackward::kName,
           .bound = bound<SoftmaxBackward, bound_of>,
           .fill = fill<SoftmaxBackward, fit_logarithms>}};
}

}  // namespace umbra

// Reductions in the gauntlet: count_nonfinite gets something to count, and the gradient of max and min outputs
// that are the largest and smallest of their terms, with ties.
#include <limits>

#include "engine/ops/reduce/op.h"
#include "engine/ops/reduce/reduce_axes.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Bound, gauntlet::bound, gauntlet::Values;

void add_nonfinite(const CountNonfinite&, const Rng&, Values& in) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (std::size_t i = 3; i < in[0].size(); i += 7) {
    in[0][i] = i % 3 == 0 ? kInfinity : i % 3 == 1 ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
  }
}

/// A quarter of the terms or so become copies of the largest (smallest) one.
void fit_extremes(const ReduceAxesBackward& op, const Rng&, Values& in) {
  if (!picks(op.how)) return;
  const AxesIndex index(op.geometry);
  for (std::int64_t o = 0; o < op.geometry.outputs(); ++o) {
    const auto term = [&](std::int64_t t) -> double& {
      return in[1][static_cast<std::size_t>(index.first(o) + index.step(t))];
    };
    double value = fold_start(op.how);
    for (std::int64_t t = 0; t < op.geometry.terms(); ++t) value = folded(op.how, value, term(t));
    for (std::int64_t t = o % 4; t < op.geometry.terms(); t += 3 + t % 3) term(t) = value;
    in[2][static_cast<std::size_t>(o)] = value;
  }
}

/// A gradient is that of an output, divided once.
Bound bound_of_share(const ReduceAxesBackward& op, const Values&, const Values& want) {
  return {gauntlet::magnitudes_of_outputs(want), gauntlet::usual_growth(op)};
}

}  // namespace

std::vector<gauntlet::OpRules> reduce_rules() {
  return {{.op = CountNonfinite::kName, .fill = gauntlet::fill<CountNonfinite, add_nonfinite>},
          {.op = ReduceAxesBackward::kName,
           .bound = bound<ReduceAxesBackward, bound_of_share>,
           .fill = gauntlet::fill<ReduceAxesBackward, fit_extremes>}};
}

}  // namespace umbra

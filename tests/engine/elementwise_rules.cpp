// Elementwise ops in the gauntlet: the bounds of those that are not linear.
#include <cmath>

#include "engine/ops/elementwise/exp.h"
#include "engine/ops/elementwise/sigmoid.h"
#include "engine/ops/elementwise/tanh.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Bound, gauntlet::bound, gauntlet::Values;
using gauntlet::magnitudes_of_outputs, gauntlet::usual_growth;

/// Every rounding is relative to the result: the argument of the function is exact, libraries are accurate to
/// a few units in the last place (Highway's exp 1, its tanh 4, that is 8 u; CUDA's expf and tanhf 2), and the
/// three roundings of 1 + exp(-|x|) follow, in which nothing cancels.
template <class O>
Bound bound_of_value(const O& op, const Values&, const Values& want) {
  return {magnitudes_of_outputs(want), usual_growth(op)};
}

/// Numbers whose exponential is far from the limits of f32, of either sign. Its values beyond them are tested in
/// tests/fixtures/special_values.h.
void fold_arguments(const Exp&, const Rng&, Values& in) {
  for (double& x : in[0]) x = static_cast<float>(std::remainder(x, 160.0));
}

/// dy y (1 - y), where 1 and y may cancel.
Bound bound_of(const SigmoidBackward& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  for (std::size_t i = 0; i < in[0].size(); ++i)
    bound.magnitude[2][i] = std::abs(in[0][i] * in[1][i]) * (1 + std::abs(in[1][i]));
  return bound;
}

/// dy (1 - y^2), where 1 and y^2 may cancel.
Bound bound_of(const TanhBackward& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  for (std::size_t i = 0; i < in[0].size(); ++i)
    bound.magnitude[2][i] = std::abs(in[0][i]) * (1 + in[1][i] * in[1][i]);
  return bound;
}

}  // namespace

std::vector<gauntlet::OpRules> elementwise_rules() {
  return {
      {.op = Exp::kName, .bound = bound<Exp, bound_of_value>, .fill = gauntlet::fill<Exp, fold_arguments>},
      {.op = SigmoidForward::kName, .bound = bound<SigmoidForward, bound_of_value>},
      {.op = SigmoidBackward::kName, .bound = bound<SigmoidBackward, bound_of>},
      {.op = TanhForward::kName, .bound = bound<TanhForward, bound_of_value>},
      {.op = TanhBackward::kName, .bound = bound<TanhBackward, bound_of>}};
}

}  // namespace umbra

// Optimisers in the gauntlet: their bounds, and their bf16 copies, which are compared with the parameters
// that the kernel itself wrote.
#include <cmath>

#include "engine/base/precision.h"
#include "engine/ops/optim/adam.h"
#include "engine/ops/optim/sgd.h"
#include "tests/engine/op_rules.h"

namespace umbra {
namespace {

using gauntlet::Bound, gauntlet::bound, gauntlet::settle, gauntlet::Values;
using gauntlet::magnitudes_of_outputs, gauntlet::usual_growth;

Bound bound_of(const SgdStep& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    const std::size_t p = SgdStep::kBuffers * k, g = p + 1, v = p + 2;
    const double share = op.rule.dampened ? in.back()[static_cast<std::size_t>(op.tensors[k].share_at)] : 1;
    for (std::size_t i = 0; i < in[p].size(); ++i) {
      const double given = op.tensors[k].gradient_absent ? 0 : std::abs(in[g][i]);
      double step = given + op.rule.weight_decay * std::abs(in[p][i]);
      if (op.rule.momentum != 0) {
        const double velocity = share * step + op.rule.momentum * std::abs(in[v][i]);
        bound.magnitude[v][i] = velocity;
        step = op.rule.nesterov ? step + op.rule.momentum * velocity : velocity;
      }
      bound.magnitude[p][i] = std::abs(in[p][i]) + in.back()[0] * step;
    }
  }
  return bound;
}

/// Scalars are drawn positive, but -lr / bc1 is negative.
void descend(const AdamStep&, const Rng&, Values& in) {
  in.back()[0] = -std::abs(in.back()[0]);
}

/// An error of v moves the update by half its relative size.
Bound bound_of(const AdamStep& op, const Values& in, const Values& want) {
  Bound bound{magnitudes_of_outputs(want), usual_growth(op)};
  const AdamRule& rule = op.rule;
  const double step = std::abs(in.back()[0]), root_bc2 = in.back()[1];
  const double shrink = rule.decoupled ? in.back()[2] : 1;
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    const std::size_t of_p = AdamStep::kBuffers * k, of_g = of_p + 1, of_m = of_p + 2, of_v = of_p + 3;
    for (std::size_t i = 0; i < in[of_p].size(); ++i) {
      const double given = op.tensors[k].gradient_absent ? 0 : std::abs(in[of_g][i]);
      const double g = given + (rule.decoupled ? 0 : rule.weight_decay * std::abs(in[of_p][i]));
      const double m = rule.beta1 * std::abs(in[of_m][i]) + (1 - rule.beta1) * g;
      const double v = rule.beta2 * in[of_v][i] + (1 - rule.beta2) * g * g;
      const double denominator = std::sqrt(want[of_v][i]) / root_bc2 + rule.epsilon;
      bound.magnitude[of_m][i] = m;
      bound.magnitude[of_v][i] = v;
      bound.magnitude[of_p][i] =
          shrink * std::abs(in[of_p][i]) + step * m / denominator * (1 + v / want[of_v][i]);
    }
  }
  return bound;
}

/// The bf16 copies of parameters have no bound: they must be the roundings of the p that the kernel wrote,
/// which replace `want`.
template <class O>
void settle_bf16_copies(const O& op, const Values&, const Bound&, const Values& got, Values& want) {
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    const std::size_t p = O::kBuffers * k, copy = p + O::kBuffers - 1;
    if (!op.tensors[k].bf16_copy) continue;
    for (std::size_t i = 0; i < got[p].size(); ++i) want[copy][i] = round_to_bf16(got[p][i]);
  }
}

}  // namespace

std::vector<gauntlet::OpRules> optim_rules() {
  return {{.op = SgdStep::kName,
           .bound = bound<SgdStep, bound_of>,
           .settle = settle<SgdStep, settle_bf16_copies>},
          {.op = AdamStep::kName,
           .bound = bound<AdamStep, bound_of>,
           .fill = gauntlet::fill<AdamStep, descend>,
           .settle = settle<AdamStep, settle_bf16_copies>}};
}

}  // namespace umbra

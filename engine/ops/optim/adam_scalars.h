// The numbers of an Adam step that do not depend on the element: combined in double, rounded once to the type
// of the tensors, as PyTorch does with Python's floats. What a step changes the caller combines once on the
// host (adam_step_scalars(), adam.h), so that kernels only round it.
#pragma once

#include "engine/ops/optim/adam.h"

namespace umbra {

template <class T>
struct AdamScalars {
  T beta1, beta2, rest1, rest2, epsilon, weight_decay;  // rest = 1 - beta
  T minus_step = 0, root_bc2 = 0, shrink = 0;           // of the step

  /// Those of all steps …
  constexpr explicit AdamScalars(const AdamRule& rule)
      : beta1(T(rule.beta1)),
        beta2(T(rule.beta2)),
        rest1(T(1 - rule.beta1)),
        rest2(T(1 - rule.beta2)),
        epsilon(T(rule.epsilon)),
        weight_decay(T(rule.weight_decay)) {}
  /// … and those of one, from the op's buffer `scalars`.
  constexpr AdamScalars(AdamScalars all_steps, const double* scalars) : AdamScalars(all_steps) {
    minus_step = T(scalars[0]);
    root_bc2 = T(scalars[1]);
    shrink = T(scalars[2]);
  }
  constexpr AdamScalars(const AdamRule& rule, const double* scalars)
      : AdamScalars(AdamScalars(rule), scalars) {}
};

}  // namespace umbra

// The numbers of an Adam step that do not depend on the element: combined in double, rounded once to the type
// of the tensors, as PyTorch does with Python's floats. On a GPU the kernel does this.
#pragma once

#include <cmath>

#include "engine/ops/optim/adam.h"

namespace umbra {

template <class T>
struct AdamScalars {
  T beta1, beta2, rest1, rest2;     // rest = 1 - beta
  T minus_step, root_bc2, epsilon;  // -lr / bc1, sqrt(bc2)
  T weight_decay, shrink;           // shrink = 1 - lr weight_decay

  /// `scalars` is the op's buffer of that name: lr, bc1, bc2.
  constexpr AdamScalars(const AdamRule& rule, const double* scalars)
      : beta1(T(rule.beta1)),
        beta2(T(rule.beta2)),
        rest1(T(1 - rule.beta1)),
        rest2(T(1 - rule.beta2)),
        minus_step(T(-(scalars[0] / scalars[1]))),
        root_bc2(T(std::sqrt(scalars[2]))),
        epsilon(T(rule.epsilon)),
        weight_decay(T(rule.weight_decay)),
        shrink(T(1 - scalars[0] * rule.weight_decay)) {}
};

}  // namespace umbra

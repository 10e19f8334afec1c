// Exact gradients from dual numbers: a reference for every backward rule. Exercises may include it: it needs no engine.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/dual.h"

namespace umbra::learn {

/// The transpose of the Jacobian of `f` at `x`, times `g`: what backward passes on. f takes and returns vectors of
/// Dual<double>; g is as long as its result. Costs one evaluation of f for every number in x.
template <class F>
std::vector<double> transposed_jacobian_times(const F& f, const std::vector<double>& x,
                                              const std::vector<double>& g) {
  std::vector<double> product(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::vector<Dual<double>> at(x.begin(), x.end());
    at[i].derivative = 1;
    const auto column = f(at);
    for (std::size_t o = 0; o < g.size(); ++o) product[i] += column[o].derivative * g[o];
  }
  return product;
}

/// The gradient at `x` of `f`, which takes a vector of Dual<double> and returns one.
template <class F>
std::vector<double> dual_gradient(const F& f, const std::vector<double>& x) {
  return transposed_jacobian_times([&](const auto& at) { return std::vector{f(at)}; }, x, {1});
}

}  // namespace umbra::learn

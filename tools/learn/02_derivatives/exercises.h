// Exercises of lesson 2: a derivative by a difference, by dual numbers and by a reverse sweep.
#pragma once

#include <array>
#include <cmath>
#include <functional>

#include "engine/base/dual.h"

namespace umbra::learn {

/// Exercise 1. The central difference: the slope of f between x - h and x + h.
double central_difference(const std::function<double(double)>& f, double x, double h);

/// Exercise 2. The logistic function 1 / (1 + exp(-x)) of a dual number: the value, and the derivative by the chain
/// rule. It uses std::exp on x.value, not exp() of dual numbers.
Dual<double> logistic(const Dual<double>& x);

/// A function from three inputs to two outputs, on any type of number:
///   t = tanh(x1),  p = x0 t,  y0 = p,  y1 = p x2 + x1
template <class T>
std::array<T, 2> two_outputs(const std::array<T, 3>& x) {
  using std::tanh;
  const T t = tanh(x[1]), p = x[0] * t;
  return {p, p * x[2] + x[1]};
}

/// Exercise 3. The reverse sweep through two_outputs(). `u` holds the gradients of y0 and y1; returns those of x0, x1, x2,
/// which are Jᵀ u for the Jacobian J [2 outputs, 3 inputs].
std::array<double, 3> reverse_sweep(const std::array<double, 3>& x, const std::array<double, 2>& u);

}  // namespace umbra::learn

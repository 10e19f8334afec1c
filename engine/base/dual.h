// Dual numbers a + b eps with eps^2 = 0: evaluating a template on Dual<double> gives its value and its exact
// directional derivative, with no step size. All tests of gradients start from this check.
#pragma once

#include <cmath>
#include <compare>

namespace umbra {

template <class T>
struct Dual {
  T value{};
  T derivative{};

  constexpr Dual() = default;
  constexpr Dual(T v) : value(v) {}  // NOLINT: a constant is a dual number with derivative 0
  constexpr Dual(T v, T s) : value(v), derivative(s) {}

  friend constexpr Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.derivative + b.derivative}; }
  friend constexpr Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.derivative - b.derivative}; }
  friend constexpr Dual operator-(Dual a) { return {-a.value, -a.derivative}; }
  friend constexpr Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
  }
  friend constexpr Dual operator/(Dual a, Dual b) {
    return {a.value / b.value, (a.derivative * b.value - a.value * b.derivative) / (b.value * b.value)};
  }
  constexpr Dual& operator+=(Dual b) { return *this = *this + b; }
  constexpr Dual& operator-=(Dual b) { return *this = *this - b; }
  constexpr Dual& operator*=(Dual b) { return *this = *this * b; }
  constexpr Dual& operator/=(Dual b) { return *this = *this / b; }

  // Comparisons look at the values alone, so a program takes the same branches as without derivatives.
  friend constexpr bool operator==(Dual a, Dual b) { return a.value == b.value; }
  friend constexpr auto operator<=>(Dual a, Dual b) { return a.value <=> b.value; }

  friend Dual sqrt(Dual a) {
    const T root = std::sqrt(a.value);
    return {root, a.derivative / (T(2) * root)};
  }
  friend Dual exp(Dual a) { return {std::exp(a.value), a.derivative * std::exp(a.value)}; }
  friend Dual log(Dual a) { return {std::log(a.value), a.derivative / a.value}; }
  friend Dual log10(Dual a) { return {std::log10(a.value), a.derivative / (a.value * std::log(T(10)))}; }
  friend Dual tanh(Dual a) {
    const T cosh = std::cosh(a.value);
    return {std::tanh(a.value), a.derivative / (cosh * cosh)};
  }
};

}  // namespace umbra

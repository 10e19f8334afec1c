// Dual numbers a + b eps with eps^2 = 0: evaluating a template on Dual<double> gives its exact directional derivative
// beside its value, with no step size. They are the first rung of the ladder on which gradients are trusted.
#pragma once

#include <cmath>
#include <compare>

namespace umbra {

template <class T>
struct Dual {
  T value{};
  T slope{};

  constexpr Dual() = default;
  constexpr Dual(T v) : value(v) {}  // NOLINT: a constant is a dual number with slope 0
  constexpr Dual(T v, T s) : value(v), slope(s) {}

  friend constexpr Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
  friend constexpr Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.slope - b.slope}; }
  friend constexpr Dual operator-(Dual a) { return {-a.value, -a.slope}; }
  friend constexpr Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend constexpr Dual operator/(Dual a, Dual b) {
    return {a.value / b.value, (a.slope * b.value - a.value * b.slope) / (b.value * b.value)};
  }
  constexpr Dual& operator+=(Dual b) { return *this = *this + b; }
  constexpr Dual& operator-=(Dual b) { return *this = *this - b; }
  constexpr Dual& operator*=(Dual b) { return *this = *this * b; }
  constexpr Dual& operator/=(Dual b) { return *this = *this / b; }

  // Order is the order of the values: branches of a program see what they would see without slopes.
  friend constexpr bool operator==(Dual a, Dual b) { return a.value == b.value; }
  friend constexpr auto operator<=>(Dual a, Dual b) { return a.value <=> b.value; }

  friend Dual sqrt(Dual a) {
    const T root = std::sqrt(a.value);
    return {root, a.slope / (T(2) * root)};
  }
  friend Dual exp(Dual a) { return {std::exp(a.value), a.slope * std::exp(a.value)}; }
  friend Dual log(Dual a) { return {std::log(a.value), a.slope / a.value}; }
  friend Dual log10(Dual a) { return {std::log10(a.value), a.slope / (a.value * std::log(T(10)))}; }
};

}  // namespace umbra

// The mean and the standard deviation that numbers are standardised with.
#pragma once

#include <algorithm>
#include <cmath>

namespace umbra {

/// Of some numbers.
struct MeanAndDeviation {
  double mean,    ///< their mean
      deviation;  ///< their standard deviation about it
};

/// Of value(i) for the `count` i; a deviation that is no more than the rounding of the mean is 0.
template <class Value>
MeanAndDeviation mean_and_deviation(std::size_t count, const Value& value) {
  constexpr double kRounding = 1e-7;
  const auto n = static_cast<double>(std::max<std::size_t>(count, 1));
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) sum += value(i);
  for (std::size_t i = 0; i < count; ++i) squares += std::pow(value(i) - sum / n, 2);
  const double deviation = std::sqrt(squares / n);
  return {sum / n, deviation > kRounding * std::abs(sum / n) ? deviation : 0};
}

/// 1 / deviation, or 0 for 0.
inline double inverse(double deviation) {
  return deviation > 0 ? 1 / deviation : 0;
}

}  // namespace umbra

// Norms, distances and slopes.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace umbra::learn {

/// |a - b|².
inline double squared_distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

/// |a|².
inline double squared_norm(const std::vector<double>& a) {
  double sum = 0;
  for (const double each : a) sum += each * each;
  return sum;
}

/// The slope of the least-squares line of log y against log x.
inline double log_log_slope(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double mean = 0, xy = 0, xx = 0;
  for (const double each : x) mean += std::log(each) / n;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (std::log(x[i]) - mean) * std::log(y[i]);
    xx += (std::log(x[i]) - mean) * (std::log(x[i]) - mean);
  }
  return xy / xx;
}

}  // namespace umbra::learn

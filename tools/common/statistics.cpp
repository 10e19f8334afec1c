#include "tools/common/statistics.h"

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"

namespace umbra {
namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return values.size() % 2 == 1 ? *middle : (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace

nlohmann::ordered_json mean_and_error(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (double v : values) mean += v / static_cast<double>(values.size());
  for (double v : values) squares += (v - mean) * (v - mean);
  const auto n = static_cast<double>(values.size());
  const double spread = values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
  return {{"mean", mean},
          {"standard_error", spread / std::sqrt(n)},
          {"standard_deviation", spread},
          {"median", median(values)}};
}

std::vector<double> paired_differences(std::vector<double> a, const std::vector<double>& b) {
  require(a.size() == b.size(), "scores of ", a.size(), " and of ", b.size(),
          " boxes cannot be compared box by box; expected the same boxes");
  for (std::size_t box = 0; box < a.size(); ++box) a[box] -= b[box];
  return a;
}

}  // namespace umbra

#include "tools/learn/06_density/exercises.h"

#include <cmath>
#include <numbers>

#include "tools/learn/common/check.h"

namespace umbra::learn {

double kernel(double u) {
  // BLANK 1: return exp(-u²/2), divided by its integral over all u; pi is std::numbers::pi
  return std::exp(-0.5 * u * u) / std::sqrt(2 * std::numbers::pi);
  // END
}

double density(const Point& x, const std::vector<Point>& data, const Point& h) {
  // BLANK 2: return the mean over the data of kernel(distance / h) / h in coordinate 0 times that in coordinate 1
  double sum = 0;
  for (const Point& center : data) {
    sum += kernel((x[0] - center[0]) / h[0]) / h[0] * (kernel((x[1] - center[1]) / h[1]) / h[1]);
  }
  return sum / static_cast<double>(data.size());
  // END
}

double leave_one_out(const std::vector<Point>& data, const Point& h) {
  // BLANK 3: return the mean over i of log(density at data[i] from the n - 1 other points), leaving out j = i
  double total = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < data.size(); ++j) {
      if (j != i) sum += kernel((data[i][0] - data[j][0]) / h[0]) * kernel((data[i][1] - data[j][1]) / h[1]);
    }
    total += std::log(sum / (static_cast<double>(data.size() - 1) * h[0] * h[1]));
  }
  return total / static_cast<double>(data.size());
  // END
}

}  // namespace umbra::learn

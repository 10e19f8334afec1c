#include "tools/learn/08_batch_norm/exercises.h"

#include <cmath>

#include "tools/learn/common/check.h"

namespace umbra::learn {

Statistics statistics(const std::vector<double>& x) {
  Statistics s;
  const auto count = static_cast<double>(x.size());
  // BLANK 1: set s.mean and then s.variance, which needs it; both divide by `count`
  for (const double value : x) s.mean += value / count;
  for (const double value : x) s.variance += (value - s.mean) * (value - s.mean) / count;
  // END
  return s;
}

std::vector<double> forward(const std::vector<double>& x, double gamma, double beta, double epsilon) {
  const Statistics s = statistics(x);
  std::vector<double> y(x.size());
  // BLANK 2: normalise every value, scale it by gamma, shift it by beta
  const double inverse = 1 / std::sqrt(s.variance + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = gamma * (x[i] - s.mean) * inverse + beta;
  // END
  return y;
}

std::vector<double> backward(const std::vector<double>& x, const std::vector<double>& dy, double gamma,
                             double epsilon) {
  const Statistics s = statistics(x);
  const auto count = static_cast<double>(x.size());
  std::vector<double> dx(x.size());
  // BLANK 3: subtract from dy its mean and x_hat times the mean of dy x_hat; then scale
  const double inverse = 1 / std::sqrt(s.variance + epsilon);
  double mean = 0, along = 0;  // of dy, and of dy x_hat
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean += dy[i] / count;
    along += dy[i] * (x[i] - s.mean) * inverse / count;
  }
  for (std::size_t i = 0; i < x.size(); ++i)
    dx[i] = gamma * inverse * (dy[i] - mean - (x[i] - s.mean) * inverse * along);
  // END
  return dx;
}

}  // namespace umbra::learn

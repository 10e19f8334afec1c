// The exercises of lesson 8: batch normalisation of one channel. x holds its m values in a batch: of all
// samples, and of all positions of each.
#pragma once

#include <vector>

namespace umbra::learn {

struct Statistics {
  double mean = 0;
  double variance = 0;  ///< biased: the mean square of the distances from the mean
};

/// The statistics of x.
Statistics statistics(const std::vector<double>& x);

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta.
std::vector<double> forward(const std::vector<double>& x, double gamma, double beta, double epsilon);

/// The gradient of a loss with respect to x, from its gradient dy with respect to y = forward(x, …).
std::vector<double> backward(const std::vector<double>& x, const std::vector<double>& dy, double gamma,
                             double epsilon);

}  // namespace umbra::learn

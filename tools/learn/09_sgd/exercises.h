// What the learner writes in this lesson: the gradient of a minibatch, and a step of two optimisers; and the problem with
// two weights that they solve.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/base/philox.h"

namespace umbra::learn {

/// The numbers w0, w1 of the line w0 + w1 x, or a gradient with respect to them.
using Line = std::array<double, 2>;

/// Exercise 1. The gradient of the mean of (w0 + w1 x - y)² / 2 over a minibatch. `batch` holds the indices of its
/// points, some of which may occur more than once.
Line minibatch_gradient(const Line& w, const std::vector<double>& x, const std::vector<double>& y,
                        const std::vector<std::int64_t>& batch);

/// Exercise 2. Returns w after a step of SGD with momentum, and updates the velocity, which starts at 0.
double momentum_step(double w, double& velocity, double gradient, double lr, double momentum);

/// What Adam keeps for a parameter.
struct Moments {
  double mean = 0;    ///< of the gradient, decaying by beta1 in every step
  double square = 0;  ///< of its square, decaying by beta2
  int steps = 0;      ///< taken so far
};
inline constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;

/// Exercise 3. Returns w after a step of Adam, and updates the moments.
double adam_step(double w, Moments& moments, double gradient, double lr);

/// Points around 1 + x/2 in ascending order of x, which is never near 0. The loss is the mean of (w0 + w1 x - y)² / 2.
struct Valley {
  static constexpr std::int64_t kPoints = 200;
  static constexpr Line kStart{-2, 2};
  std::vector<double> x, y;
  Line minimum{};
  double mean_x = 0, mean_xx = 0;  ///< the second derivatives of the loss are 1, mean_x and mean_xx

  explicit Valley(const Rng& rng) {
    double mean_y = 0, mean_xy = 0;
    for (std::uint64_t i = 0; i < kPoints; ++i) {
      x.push_back(1 + 4 * (static_cast<double>(i) + 0.5) / kPoints);
      y.push_back(1 + 0.5 * x[i] + rng.normal(i));
      mean_x += x[i] / kPoints;
      mean_xx += x[i] * x[i] / kPoints;
      mean_y += y[i] / kPoints;
      mean_xy += x[i] * y[i] / kPoints;
    }
    minimum[1] = (mean_xy - mean_x * mean_y) / (mean_xx - mean_x * mean_x);
    minimum[0] = mean_y - mean_x * minimum[1];
  }
  /// The loss above its minimum.
  double excess(const Line& w) const {
    const double a = w[0] - minimum[0], b = w[1] - minimum[1];
    return (a * a + 2 * mean_x * a * b + mean_xx * b * b) / 2;
  }
  /// Its mean over the last half of a path.
  double late_excess(const std::vector<Line>& path) const {
    const std::size_t half = path.size() / 2;
    double sum = 0;
    for (std::size_t i = path.size() - half; i < path.size(); ++i) sum += excess(path[i]);
    return sum / static_cast<double>(half);
  }
  /// The largest and the smallest curvature.
  Line curvatures() const {
    const double middle = (1 + mean_xx) / 2, root = std::hypot((1 - mean_xx) / 2, mean_x);
    return {middle + root, middle - root};
  }
};

/// All w0, then all w1.
inline std::vector<std::vector<double>> columns(const std::vector<Line>& path) {
  std::vector<std::vector<double>> found(2);
  for (const Line& w : path)
    for (std::size_t k = 0; k < 2; ++k) found[k].push_back(w[k]);
  return found;
}

}  // namespace umbra::learn

#include "tools/learn/09_sgd/exercises.h"

#include <cmath>

#include "tools/learn/common/check.h"

namespace umbra::learn {

Line minibatch_gradient(const Line& w, const std::vector<double>& x, const std::vector<double>& y,
                        const std::vector<std::int64_t>& batch) {
  // BLANK 1: the mean over the batch of error and of error × x, where error = w0 + w1 x - y
  Line gradient{};
  for (const std::int64_t index : batch) {
    const auto i = static_cast<std::size_t>(index);
    const double share = (w[0] + w[1] * x[i] - y[i]) / static_cast<double>(batch.size());
    gradient[0] += share;
    gradient[1] += share * x[i];
  }
  return gradient;
  // END
}

double momentum_step(double w, double& velocity, double gradient, double lr, double momentum) {
  // BLANK 2: the velocity becomes momentum × velocity + gradient; w moves against the new velocity
  velocity = momentum * velocity + gradient;
  return w - lr * velocity;
  // END
}

double adam_step(double w, Moments& moments, double gradient, double lr) {
  // BLANK 3: count the step, update both moments, divide each by 1 - beta^steps, step by lr mean / (sqrt(square) + epsilon)
  ++moments.steps;
  moments.mean = kBeta1 * moments.mean + (1 - kBeta1) * gradient;
  moments.square = kBeta2 * moments.square + (1 - kBeta2) * gradient * gradient;
  const double mean = moments.mean / (1 - std::pow(kBeta1, moments.steps));
  const double square = moments.square / (1 - std::pow(kBeta2, moments.steps));
  return w - lr * mean / (std::sqrt(square) + kEpsilon);
  // END
}

}  // namespace umbra::learn

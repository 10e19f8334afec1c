#include "tools/learn/common/check.h"

#include <cmath>

#include "engine/base/dual.h"
#include "tools/learn/09_sgd/exercises.h"

namespace umbra::learn {
namespace {

void check_gradient(Checker& checker) {
  const std::vector<double> x{1, 2, -3, 0.5, 4}, y{2, -1, 0.5, 3, 7};
  const std::vector<std::vector<std::int64_t>> batches{{0}, {1, 3}, {4, 4, 2}, {0, 1, 2, 3, 4}};
  for (const auto& batch : batches) {
    const Line w{0.3, -0.8};
    std::vector<double> expected;
    for (int moved = 0; moved < 2; ++moved) {  // the loss on dual numbers
      const Dual<double> w0(w[0], moved == 0), w1(w[1], moved == 1);
      Dual<double> loss = 0;
      for (const std::int64_t index : batch) {
        const auto i = static_cast<std::size_t>(index);
        const Dual<double> error = w0 + w1 * x[i] - y[i];
        loss += error * error / (2.0 * static_cast<double>(batch.size()));
      }
      expected.push_back(loss.derivative);
    }
    const Line got = minibatch_gradient(w, x, y, batch);
    checker.near("the gradient of a minibatch of " + std::to_string(batch.size()), {got[0], got[1]},
                 expected);
  }
  const std::vector<double> flat{1, 1}, target{0, 2};
  const Line at_minimum = minibatch_gradient({1, 0}, flat, target, {0, 1});
  checker.near("at the minimum it vanishes", {at_minimum[0], at_minimum[1]}, {0, 0});
}

void check_momentum(Checker& checker) {
  double velocity = 0;
  checker.near("without momentum: w - lr gradient", momentum_step(3, velocity, 2, 0.1, 0), 2.8);
  velocity = 0;
  double w = 1, last = 0;
  for (int step = 0; step < 200; ++step) {
    last = w;
    w = momentum_step(w, velocity, -0.5, 0.01, 0.9);
    if (step == 1) checker.near("after two steps with gradient -0.5", w, 1 + 0.01 * (0.5 + 0.95));
  }
  checker.near("under a constant gradient a step becomes lr / (1 - momentum) times it", w - last,
               0.01 / 0.1 * 0.5, 1e-8);
  checker.near("the velocity becomes gradient / (1 - momentum)", velocity, -5, 1e-7);
  // On w²/2, by the recursion of second order that follows when the velocity is eliminated.
  velocity = 0;
  double before = 2, now = momentum_step(2, velocity, 2, 0.3, 0.6);
  for (int step = 0; step < 20; ++step) {
    const double expected = now - 0.3 * now + 0.6 * (now - before);
    before = now;
    now = momentum_step(now, velocity, now, 0.3, 0.6);
    checker.near("a step on w²/2", now, expected);
  }
}

void check_adam(Checker& checker) {
  for (const double gradient : {1e-3, -7.0, 250.0}) {
    Moments moments;
    const double w = adam_step(0.5, moments, gradient, 0.01);
    checker.near("the first step is lr, whatever the gradient (" + text_of(gradient) + ")", w,
                 0.5 - std::copysign(0.01, gradient), 1e-6);
    checker.near("the mean after it", moments.mean, 0.1 * gradient);
    checker.near("the mean square after it", moments.square, 0.001 * gradient * gradient);
    checker.expect("one step is counted", moments.steps == 1);
  }
  // The moments as sums over all gradients, instead of by recursion.
  Moments moments;
  double w = 1;
  const std::vector<double> gradients{0.5, -1, 2, 0.25, -3};
  for (std::size_t n = 1; n <= gradients.size(); ++n) {
    double mean = 0, square = 0, weight1 = 0, weight2 = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto age = static_cast<double>(n - 1 - i);
      mean += std::pow(0.9, age) * gradients[i];
      square += std::pow(0.999, age) * gradients[i] * gradients[i];
      weight1 += std::pow(0.9, age);
      weight2 += std::pow(0.999, age);
    }
    const double expected = w - 0.02 * (mean / weight1) / (std::sqrt(square / weight2) + 1e-8);
    w = adam_step(w, moments, gradients[n - 1], 0.02);
    checker.near("after step " + std::to_string(n) + " of 5", w, expected);
  }
  Moments at_rest;
  checker.near("a gradient of 0 moves nothing", adam_step(2, at_rest, 0, 0.1), 2);
}

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "the gradient of a minibatch", [&] { check_gradient(checker); });
  checker.exercise(2, "a step with momentum", [&] { check_momentum(checker); });
  checker.exercise(3, "a step of Adam", [&] { check_adam(checker); });
}

}  // namespace umbra::learn

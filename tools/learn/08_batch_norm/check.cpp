// Checks of the exercises of lesson 8: the forward pass against numbers of a batch that can be computed on
// paper and against its properties, the backward pass against dual numbers.
#include "tools/learn/common/check.h"

#include <cmath>

#include "tools/learn/08_batch_norm/exercises.h"
#include "tools/learn/common/dual_gradient.h"

namespace umbra::learn {
namespace {

// Numbers without a pattern, around `centre`.
std::vector<double> numbers(std::size_t count, double centre, double phase) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(centre + std::sin(phase + 2.3 * static_cast<double>(i * i)));
  return values;
}

// The gradient of sum(dy y), with y the batch norm of x.
std::vector<double> reference(const std::vector<double>& x, const std::vector<double>& dy, double gamma,
                              double epsilon) {
  using D = Dual<double>;
  const auto loss = [&](const std::vector<D>& values) {
    const D count(static_cast<double>(values.size()));
    D sum(0), squares(0), total(0);
    for (const D& value : values) sum += value;
    const D mean = sum / count;
    for (const D& value : values) squares += (value - mean) * (value - mean);
    const D root = sqrt(squares / count + D(epsilon));
    for (std::size_t i = 0; i < values.size(); ++i) total += D(dy[i] * gamma) * (values[i] - mean) / root;
    return total;
  };
  return dual_gradient(loss, x);
}

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "mean and variance of a batch", [&] {
    const Statistics four = statistics({1, 2, 3, 6});
    checker.near("the mean of 1 2 3 6", four.mean, 3);
    checker.near("their variance, with division by 4", four.variance, 3.5);
    checker.near("the variance of one number", statistics({5}).variance, 0);
    const Statistics far = statistics(numbers(50, 1e6, 1)), here = statistics(numbers(50, 0, 1));
    checker.near("the variance of numbers around a million", far.variance, here.variance, 1e-6);
  });
  checker.exercise(2, "forward", [&] {
    checker.near("1 2 3 6 with gamma 2, beta 1, epsilon 0.5", forward({1, 2, 3, 6}, 2, 1, 0.5),
                 {-1, 0, 1, 4});
    checker.near("a constant channel gives beta", forward({7, 7, 7}, 2, 0.25, 1e-5), {0.25, 0.25, 0.25});
    for (const double epsilon : {0.0, 0.3}) {
      const std::vector<double> x = numbers(20, 4, 2), y = forward(x, 3, -1, epsilon);
      const Statistics in = statistics(x), out = statistics(y);
      checker.near("the mean of the output", out.mean, -1);
      checker.near("its variance", out.variance, 9 * in.variance / (in.variance + epsilon));
    }
    const std::vector<double> x = numbers(6, 0, 3);
    std::vector<double> moved = x;
    for (double& value : moved) value = 5 * value - 2;
    checker.near("5 x - 2 gives the output of x", forward(moved, 1.5, 2, 0), forward(x, 1.5, 2, 0));
  });
  checker.exercise(3, "backward", [&] {
    for (const auto& [gamma, epsilon] : {std::pair(1.0, 0.0), {-2.0, 1e-5}, {0.7, 0.4}})
      for (const std::size_t count : {2U, 3U, 17U}) {
        const std::vector<double> x = numbers(count, 2, 4), dy = numbers(count, 0.5, 5);
        const std::string title = "dx for " + std::to_string(count) + " values, gamma " + text_of(gamma) +
                                  ", epsilon " + text_of(epsilon);
        checker.near(title, backward(x, dy, gamma, epsilon), reference(x, dy, gamma, epsilon), 1e-10);
      }
    const std::vector<double> x = numbers(9, 0, 6);
    checker.near("the same dy for all values moves nothing",
                 backward(x, std::vector<double>(9, 2.0), 1, 1e-5), std::vector<double>(9, 0.0));
  });
}

}  // namespace umbra::learn

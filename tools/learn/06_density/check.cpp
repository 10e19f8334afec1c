#include "tools/learn/common/check.h"

#include <cmath>

#include "tools/learn/06_density/exercises.h"

namespace umbra::learn {
namespace {

void check_kernel(Checker& checker) {
  checker.near("the kernel at 0", kernel(0), 0.3989422804014327);
  checker.near("the kernel at 1", kernel(1), 0.24197072451914337);
  checker.near("the kernel at -2", kernel(-2), 0.05399096651318806);
  double integral = 0, square = 0;
  for (int i = -800; i <= 800; ++i) {
    integral += 0.01 * kernel(0.01 * i);
    square += 0.01 * 1e-4 * i * i * kernel(0.01 * i);
  }
  checker.near("its integral", integral, 1);
  checker.near("its variance", square, 1);
}

// Another formula: one exponential of the sum of both squares.
double gaussian(const Point& d, const Point& h) {
  const double exponent = -0.5 * (d[0] * d[0] / (h[0] * h[0]) + d[1] * d[1] / (h[1] * h[1]));
  return std::exp(exponent) / (6.283185307179586 * h[0] * h[1]);
}

void check_density(Checker& checker) {
  const Point h{0.5, 2};
  checker.near("one point, at the point", density({1, 3}, {{1, 3}}, h), gaussian({0, 0}, h));
  checker.near("one point, away from it", density({1.5, 1}, {{1, 3}}, h), gaussian({0.5, -2}, h));
  const std::vector<Point> data{{0, 0}, {1, 4}, {-2, 1}};
  double sum = 0;
  for (const Point& c : data) sum += gaussian({0.25 - c[0], 0.5 - c[1]}, h);
  checker.near("three points", density({0.25, 0.5}, data, h), sum / 3);
  checker.near("twice as wide a kernel at its point is a quarter as high", density({1, 3}, {{1, 3}}, {1, 4}),
               gaussian({0, 0}, h) / 4);
  double integral = 0;
  for (int i = -60; i < 60; ++i) {
    for (int j = -60; j < 60; ++j) integral += 0.1 * 0.4 * density({0.1 * i, 0.4 * j}, data, h);
  }
  checker.near("the integral of the estimate", integral, 1, 1e-6);
}

void check_leave_one_out(Checker& checker) {
  const Point h{0.5, 2};
  checker.near("two points: each is judged by the other alone", leave_one_out({{0, 0}, {1, 3}}, h),
               std::log(gaussian({1, 3}, h)));
  const std::vector<Point> data{{0, 0}, {1, 4}, {-2, 1}, {0.5, -1}};
  double total = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      if (j != i) sum += gaussian({data[i][0] - data[j][0], data[i][1] - data[j][1]}, h);
    }
    total += std::log(sum / 3);
  }
  checker.near("four points", leave_one_out(data, h), total / 4);
  // A pair of equal points and one that is 12 bandwidths away: its term is exp(-72).
  const double equal = std::log((gaussian({0, 0}, {1, 1}) + gaussian({12, 0}, {1, 1})) / 2);
  const double far = std::log(gaussian({12, 0}, {1, 1}));
  checker.near("three points, one of them far away", leave_one_out({{0, 0}, {0, 0}, {12, 0}}, {1, 1}),
               (2 * equal + far) / 3);
  checker.expect("a fifth of the bandwidths is worse for these four points",
                 leave_one_out(data, {0.1, 0.4}) < leave_one_out(data, h));
}

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "the kernel", [&] { check_kernel(checker); });
  checker.exercise(2, "the density estimate at a point", [&] { check_density(checker); });
  checker.exercise(3, "the leave-one-out log likelihood", [&] { check_leave_one_out(checker); });
}

}  // namespace umbra::learn

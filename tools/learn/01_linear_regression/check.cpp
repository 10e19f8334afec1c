#include "tools/learn/common/check.h"

#include <cmath>
#include <limits>

#include "engine/base/dual.h"
#include "engine/base/philox.h"
#include "tools/learn/01_linear_regression/exercises.h"

namespace umbra::learn {
namespace {

struct Points {
  std::vector<double> x, y;
};

Points random_points(std::size_t count, std::uint64_t stream) {
  const Rng rng(7, Purpose::kTest, stream);
  Points points;
  for (std::size_t i = 0; i < count; ++i) {
    points.x.push_back(3 * rng.uniform(2 * i) - 1);
    points.y.push_back(rng.normal(2 * i + 1));
  }
  return points;
}

std::vector<std::size_t> first_indices(std::size_t count) {
  std::vector<std::size_t> indices(count);
  for (std::size_t i = 0; i < count; ++i) indices[i] = i;
  return indices;
}

// The mean squared error over a batch, on dual numbers: da and db are the derivatives of a and b.
double slope(const Line& line, double da, double db, const Points& points, Indices batch) {
  const Dual<double> a(line.a, da), b(line.b, db);
  Dual<double> sum = 0.0;
  for (const std::size_t i : batch) {
    const Dual<double> residual = a * points.x[i] + b - points.y[i];
    sum += residual * residual;
  }
  return sum.derivative / static_cast<double>(batch.size());
}

void check_loss(Checker& checker) {
  const std::vector<double> x{0, 1, 2}, y{1, 1, 4};
  checker.near("a line through all points: loss({a: 2, b: 1}) of (0, 1), (2, 5)",
               loss({2, 1}, std::vector<double>{0, 2}, std::vector<double>{1, 5}), 0);
  checker.near("loss({a: 1, b: 0}) of (0, 1), (1, 1), (2, 4): residuals -1, 0, -2", loss({1, 0}, x, y),
               5.0 / 3);
  checker.near("loss({a: 0, b: 1}) of (0, 1), (1, 1), (2, 4): residuals 0, 0, -3", loss({0, 1}, x, y), 3);
  checker.near("loss({a: 0, b: 2}) of one point (5, -1)",
               loss({0, 2}, std::vector<double>{5}, std::vector<double>{-1}), 9);
}

void check_gradient(Checker& checker) {
  const std::vector<double> x{0, 1, 2}, y{1, 1, 4};
  const Line known = gradient({1, 0}, x, y, first_indices(3));
  checker.near("dQ/da at {a: 1, b: 0} for (0, 1), (1, 1), (2, 4)", known.a, -8.0 / 3);
  checker.near("dQ/db at {a: 1, b: 0} for (0, 1), (1, 1), (2, 4)", known.b, -2);
  for (std::size_t trial = 0; trial < 5; ++trial) {
    const Points points = random_points(4 + 3 * trial, trial);
    const std::vector<std::size_t> batch{1, 3, 0};
    const Line line{0.5 - static_cast<double>(trial), 0.3}, g = gradient(line, points.x, points.y, batch);
    checker.near("dQ/da for a batch of 3, against dual numbers", g.a, slope(line, 1, 0, points, batch));
    checker.near("dQ/db for a batch of 3, against dual numbers", g.b, slope(line, 0, 1, points, batch));
  }
}

void check_epoch(Checker& checker) {
  // One point (1, 0): the gradient at (a, b) is 2 (a + b) (1, 1), so a = b throughout.
  const std::vector<double> x{1, 1, 1}, y{0, 0, 0};
  Line velocity;
  const auto plain = epoch({1, 1}, velocity, x, y, first_indices(3), {0.125, 0, 1});
  checker.expect("three batches of one point give three lines", plain.size() == 3);
  if (plain.size() == 3)
    checker.near("a after each step, when every step halves it", {plain[0].a, plain[1].a, plain[2].a},
                 {0.5, 0.25, 0.125});
  velocity = {8, 8};
  const auto heavy = epoch({1, 1}, velocity, x, y, first_indices(3), {0.125, 0.5, 2});
  checker.expect("three points in batches of two give two lines", heavy.size() == 2);
  if (heavy.size() == 2) {
    // Velocities: 0.5 · 8 + 4 = 8, then the line is 0, then 0.5 · 8 + 0 = 4.
    checker.near("a after each step with momentum 0.5", {heavy[0].a, heavy[1].a}, {0, -0.5});
    checker.near("the velocity that is left after the epoch", velocity.a, 4);
  }
  const Points points = random_points(7, 9);
  const std::vector<std::size_t> order{6, 2, 0, 4, 1, 5, 3};
  Line expected{0.2, -0.4}, v{};
  std::vector<double> a, b;
  for (const std::vector<std::size_t>& batch : {std::vector<std::size_t>{6, 2, 0}, {4, 1, 5}, {3}}) {
    v.a = 0.9 * v.a + slope(expected, 1, 0, points, batch);
    v.b = 0.9 * v.b + slope(expected, 0, 1, points, batch);
    expected = {expected.a - 0.05 * v.a, expected.b - 0.05 * v.b};
    a.push_back(expected.a);
    b.push_back(expected.b);
  }
  velocity = {};
  std::vector<double> got_a, got_b;
  for (const Line& line : epoch({0.2, -0.4}, velocity, points.x, points.y, order, {0.05, 0.9, 3})) {
    got_a.push_back(line.a);
    got_b.push_back(line.b);
  }
  checker.near("a after each of the batches of 3, 3 and 1 of seven points", got_a, a);
  checker.near("b after each of the batches of 3, 3 and 1 of seven points", got_b, b);
}

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "the mean squared error", [&] { check_loss(checker); });
  checker.exercise(2, "its gradient", [&] { check_gradient(checker); });
  checker.exercise(3, "an epoch of SGD with momentum", [&] { check_epoch(checker); });
}

}  // namespace umbra::learn

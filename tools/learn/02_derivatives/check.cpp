#include "tools/learn/common/check.h"

#include <cmath>
#include <string>

#include "tools/learn/02_derivatives/exercises.h"

namespace umbra::learn {
namespace {

void check_central_difference(Checker& checker) {
  const auto square = [](double x) { return x * x; };
  const auto cube = [](double x) { return x * x * x; };
  checker.near("x² at 3 with h = 0.5: exact for a parabola", central_difference(square, 3, 0.5), 6);
  checker.near("x³ at 2 with h = 0.5: 3 · 2² + h²", central_difference(cube, 2, 0.5), 12.25);
  checker.near("x³ at 2 with h = -0.5: the same", central_difference(cube, 2, -0.5), 12.25);
  const double wide = central_difference([](double x) { return std::exp(x); }, 0, 0.1) - 1;
  const double narrow = central_difference([](double x) { return std::exp(x); }, 0, 0.05) - 1;
  checker.near("the error for exp at 0 with h = 0.1, over that with 0.05: four", wide / narrow, 4, 0.01);
  int calls = 0;
  central_difference([&calls](double x) { return ++calls, x; }, 1, 0.1);
  checker.expect("f is called twice", calls == 2);
}

void check_logistic(Checker& checker) {
  checker.near("value at 0", logistic({0, 1}).value, 0.5);
  checker.near("derivative at 0", logistic({0, 1}).derivative, 0.25);
  checker.near("derivative at 0 when x itself has derivative -3", logistic({0, -3}).derivative, -0.75);
  checker.near("derivative of a constant", logistic({0.7, 0}).derivative, 0);
  for (const double x : {-30.0, -2.0, 0.3, 4.0}) {
    const Dual<double> got = logistic({x, 1.7});
    const Dual<double> expected = Dual<double>(1) / (Dual<double>(1) + exp(-Dual<double>(x, 1.7)));
    const std::string at = " at x = " + text_of(x);
    // Relative to the expected numbers, which are as small as 1e-13.
    checker.near("value" + at + ", over the expected one", got.value / expected.value, 1);
    checker.near("derivative" + at + ", over the expected one", got.derivative / expected.derivative, 1);
  }
  // The chain rule: logistic(x²) at x = 2.
  const Dual<double> x(2, 1), s = logistic(x * x);
  checker.near("derivative of logistic(x²) at x = 2", s.derivative, 4 * s.value * (1 - s.value));
}

void check_reverse_sweep(Checker& checker) {
  // At x1 = 0: t = 0 with slope 1, so y0 = x0 t has the gradient (0, x0, 0) and y1 has (0, x0 x2 + 1, 0).
  const std::array<double, 3> at_zero = reverse_sweep({3, 0, 5}, {1, 10});
  checker.near("Jᵀ (1, 10) at (3, 0, 5)", {at_zero.begin(), at_zero.end()}, {0, 3 + 10 * 16, 0});
  const std::array<std::array<double, 3>, 3> points{{{0.5, 0.8, -1.2}, {-2, -0.4, 0.3}, {1.5, 1.1, 2}}};
  for (const std::array<double, 3>& x : points) {
    for (const std::array<double, 2>& u : {std::array<double, 2>{1, 0}, {0, 1}, {0.7, -1.9}}) {
      std::vector<double> expected;
      for (std::size_t k = 0; k < 3; ++k) {
        std::array<Dual<double>, 3> seeded{x[0], x[1], x[2]};
        seeded[k].derivative = 1;
        const std::array<Dual<double>, 2> y = two_outputs(seeded);
        expected.push_back(u[0] * y[0].derivative + u[1] * y[1].derivative);
      }
      const std::array<double, 3> got = reverse_sweep(x, u);
      const std::string upstream = "(" + text_of(u[0]) + ", " + text_of(u[1]) + ")";
      checker.near("Jᵀ u for u = " + upstream + ", against dual numbers", {got.begin(), got.end()}, expected);
    }
  }
}

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "the central difference", [&] { check_central_difference(checker); });
  checker.exercise(2, "the logistic function of a dual number", [&] { check_logistic(checker); });
  checker.exercise(3, "a reverse sweep", [&] { check_reverse_sweep(checker); });
}

}  // namespace umbra::learn

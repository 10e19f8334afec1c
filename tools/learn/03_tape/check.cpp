#include "tools/learn/common/check.h"

#include <cmath>

#include "engine/base/dual.h"
#include "tools/learn/03_tape/exercises.h"

namespace umbra::learn {
namespace {

using Numbers = std::vector<double>;

// A tape whose local derivatives are given, so that the walk does not depend on the first exercise.
std::vector<Entry> made(const std::vector<std::array<int, 2>>& inputs,
                        const std::vector<std::array<double, 2>>& local) {
  std::vector<Entry> tape;
  for (std::size_t i = 0; i < inputs.size(); ++i) tape.push_back({Operation::kInput, inputs[i], local[i], 0});
  return tape;
}

Numbers walked(std::vector<Entry> tape, int times = 1) {
  for (int i = 0; i < times; ++i) walk_back(tape);
  Numbers gradients;
  for (const Entry& entry : tape) gradients.push_back(entry.gradient);
  return gradients;
}

void check_walk(Checker& checker) {
  // a, 1, b = a + 1, b b, f = b + b b at a = 2
  const auto example =
      made({{-1, -1}, {-1, -1}, {0, 1}, {2, 2}, {2, 3}}, {{0, 0}, {0, 0}, {1, 1}, {3, 3}, {1, 1}});
  checker.near("gradients of a, 1, b, b b, f for f = b + b b, b = a + 1, a = 2", walked(example),
               {7, 7, 7, 1, 1});
  checker.near("after a second walk over the same tape, which must clear nothing", walked(example, 2),
               {27, 27, 20, 2, 1});
  // Entry 2 is used by 3 and 4, and 3 by 4; entry 1 leads nowhere.
  const auto shared =
      made({{-1, -1}, {0, -1}, {0, -1}, {2, -1}, {2, 3}}, {{0, 0}, {5, 0}, {2, 0}, {-3, 0}, {0.5, 4}});
  checker.near("an entry that leads nowhere gets 0; one that is used twice gets a sum", walked(shared),
               {2 * (0.5 - 12), 0, 0.5 - 12, 4, 1});
  checker.near("a tape with one entry", walked(made({{-1, -1}}, {{0, 0}})), {1});
}

// The derivative of the loss, on dual numbers, with respect to one weight; those of theta0 come first.
double loss_derivative(const TwoLayers& net, const Numbers& x, const Numbers& target, std::size_t moved) {
  const auto weight = [&](const Numbers& theta, std::size_t at, std::size_t before) {
    return Dual<double>(theta[at], before + at == moved);
  };
  const std::size_t hidden = net.theta1.size() / target.size(), count0 = net.theta0.size();
  Dual<double> loss = 0;
  for (std::size_t o = 0; o < target.size(); ++o) {
    Dual<double> error = -target[o];
    for (std::size_t h = 0; h < hidden; ++h) {
      Dual<double> z = 0;
      for (std::size_t i = 0; i < x.size(); ++i) z += weight(net.theta0, h * x.size() + i, 0) * x[i];
      error += weight(net.theta1, o * hidden + h, count0) * tanh(z);
    }
    loss += 0.5 * error * error;
  }
  return loss.derivative;
}

void check_net(Checker& checker, const TwoLayers& net, const Numbers& x, const Numbers& target) {
  const TwoLayers got = net_gradient(net, x, target);
  Numbers theta0, theta1;
  for (std::size_t i = 0; i < net.theta0.size(); ++i) theta0.push_back(loss_derivative(net, x, target, i));
  for (std::size_t i = 0; i < net.theta1.size(); ++i)
    theta1.push_back(loss_derivative(net, x, target, net.theta0.size() + i));
  const std::size_t hidden = net.theta1.size() / target.size();
  const std::string sizes = " for the layer sizes " + std::to_string(x.size()) + ", " +
                            std::to_string(hidden) + ", " + std::to_string(target.size());
  checker.near("gradient of theta1" + sizes, got.theta1, theta1);
  checker.near("gradient of theta0" + sizes, got.theta0, theta0);
}

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "the local derivatives of a product", [&] {
    for (const auto& [a, b] : {std::array{2.0, 5.0}, {-3.0, 0.5}, {0.0, 7.0}, {4.0, 4.0}}) {
      const std::array<double, 2> local = product_rule(a, b);
      checker.near("d(a b)/da at a = " + text_of(a) + ", b = " + text_of(b), local[0],
                   (Dual<double>(a, 1) * Dual<double>(b)).derivative);
      checker.near("d(a b)/db at a = " + text_of(a) + ", b = " + text_of(b), local[1],
                   (Dual<double>(a) * Dual<double>(b, 1)).derivative);
    }
  });
  checker.exercise(2, "the walk back along the tape", [&] { check_walk(checker); });
  checker.exercise(3, "the gradient of a net with two layers", [&] {
    check_net(checker, {{0.5}, {2}}, {1.5}, {0.3});
    check_net(checker, {{0.1, -0.4, 0.7, 0.2, 0.9, -0.6}, {1, -2, 0.5, 0.3, 0.8, -1.1}}, {0.7, -1.2},
              {0.5, -0.25});
    check_net(checker, {{0.2, 0.4, -0.3, 0.8}, {-1, 0.6, 0.9, 0.1, 1.4, -0.7}}, {1.1, -0.4}, {0.2, 1, -0.6});
  });
}

}  // namespace umbra::learn

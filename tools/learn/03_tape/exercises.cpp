#include "tools/learn/03_tape/exercises.h"

#include <cmath>
#include <cstddef>

#include "tools/learn/common/check.h"

namespace umbra::learn {

std::array<double, 2> product_rule(double a, double b) {
  // BLANK 1: return the derivative of a b with respect to a, and that with respect to b
  return {b, a};
  // END
}

void walk_back(std::vector<Entry>& tape) {
  // BLANK 2: gradient 1 at the last entry; then from the last to the first: input's gradient += gradient × local
  tape.back().gradient = 1;
  for (auto entry = tape.rbegin(); entry != tape.rend(); ++entry)
    for (std::size_t i = 0; i < 2; ++i)
      if (entry->inputs[i] >= 0)
        tape[static_cast<std::size_t>(entry->inputs[i])].gradient += entry->gradient * entry->local[i];
  // END
}

TwoLayers net_gradient(const TwoLayers& net, const std::vector<double>& x,
                       const std::vector<double>& target) {
  // BLANK 3: z0 and y forward; then the gradients of y, theta1, z0 and theta0, in this order
  const std::size_t inputs = x.size(), outputs = target.size(), hidden = net.theta1.size() / outputs;
  std::vector<double> z0(hidden), grad_z0(hidden);
  for (std::size_t h = 0; h < hidden; ++h) {
    for (std::size_t i = 0; i < inputs; ++i) z0[h] += net.theta0[h * inputs + i] * x[i];
    z0[h] = std::tanh(z0[h]);
  }
  TwoLayers gradient{std::vector<double>(hidden * inputs), std::vector<double>(outputs * hidden)};
  for (std::size_t o = 0; o < outputs; ++o) {
    double y = 0;
    for (std::size_t h = 0; h < hidden; ++h) y += net.theta1[o * hidden + h] * z0[h];
    for (std::size_t h = 0; h < hidden; ++h) {
      gradient.theta1[o * hidden + h] = (y - target[o]) * z0[h];
      grad_z0[h] += net.theta1[o * hidden + h] * (y - target[o]);
    }
  }
  for (std::size_t h = 0; h < hidden; ++h)
    for (std::size_t i = 0; i < inputs; ++i)
      gradient.theta0[h * inputs + i] = grad_z0[h] * (1 - z0[h] * z0[h]) * x[i];
  return gradient;
  // END
}

}  // namespace umbra::learn

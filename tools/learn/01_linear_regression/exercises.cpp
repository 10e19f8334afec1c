#include "tools/learn/01_linear_regression/exercises.h"

#include <algorithm>

#include "tools/learn/common/check.h"

namespace umbra::learn {

double loss(const Line& line, Numbers x, Numbers y) {
  // BLANK 1: return the mean over all points of the squared difference between a x + b and y
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double residual = line.a * x[i] + line.b - y[i];
    sum += residual * residual;
  }
  return sum / static_cast<double>(x.size());
  // END
}

Line gradient(const Line& line, Numbers x, Numbers y, Indices batch) {
  // BLANK 2: return {dQ/da, dQ/db}, where Q is the mean of (a x + b - y)² over the points in `batch`
  Line sum;
  for (const std::size_t i : batch) {
    const double residual = line.a * x[i] + line.b - y[i];
    sum.a += 2 * residual * x[i];
    sum.b += 2 * residual;
  }
  const auto count = static_cast<double>(batch.size());
  return {sum.a / count, sum.b / count};
  // END
}

std::vector<Line> epoch(Line line, Line& velocity, Numbers x, Numbers y, Indices order, const Step& step) {
  // BLANK 3: for each batch of `order`: its gradient, the new velocity, the new line; return the lines
  std::vector<Line> lines;
  for (std::size_t first = 0; first < order.size(); first += step.batch) {
    const std::size_t count = std::min(step.batch, order.size() - first);
    const Line g = gradient(line, x, y, order.subspan(first, count));
    velocity = {step.momentum * velocity.a + g.a, step.momentum * velocity.b + g.b};
    line = {line.a - step.learning_rate * velocity.a, line.b - step.learning_rate * velocity.b};
    lines.push_back(line);
  }
  return lines;
  // END
}

}  // namespace umbra::learn

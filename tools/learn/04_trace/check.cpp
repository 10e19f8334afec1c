// The checks of lesson 4. Gradients are compared with dual numbers, which share no formula with a backward pass.
#include "tools/learn/common/check.h"

#include <cmath>

#include "engine/base/dual.h"
#include "engine/base/philox.h"
#include "tools/learn/04_trace/exercises.h"

namespace umbra::learn {
namespace {

using D = Dual<double>;

Vector numbers(std::size_t count, std::uint64_t stream) {
  Vector values;
  const Rng rng(4, Purpose::kTest, stream);
  for (std::size_t i = 0; i < count; ++i) values.push_back(rng.normal(i));
  return values;
}

Matrix rows(std::size_t count, std::size_t columns, std::uint64_t stream) {
  const Vector all = numbers(count * columns, stream);
  Matrix matrix;
  for (std::size_t r = 0; r < count; ++r)
    matrix.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(r * columns),
                        all.begin() + static_cast<std::ptrdiff_t>((r + 1) * columns));
  return matrix;
}

Vector flat(const Matrix& matrix) {
  Vector all;
  for (const Vector& row : matrix) all.insert(all.end(), row.begin(), row.end());
  return all;
}

// d(-log softmax(logits)[label]) / d logits[k]
double slope_of_loss(const Vector& logits, std::size_t label, std::size_t k) {
  D sum = 0, mine = 0;
  for (std::size_t j = 0; j < logits.size(); ++j) {
    const D logit(logits[j] - logits[label], j == k ? 1.0 : 0.0);
    sum += exp(logit);
    if (j == label) mine = logit;
  }
  return (log(sum) - mine).derivative;
}

// A loss of a layer, Σ_m z_m² / (m + 2) + z_0 z_last, and its derivative with respect to argument `which` of (w, b, x),
// counted through.
struct LossOfLayer {
  Matrix w;
  Vector b, x;

  std::vector<D> results(std::size_t which) const {
    std::size_t at = 0;
    const auto argument = [&](double value) { return D(value, at++ == which ? 1.0 : 0.0); };
    std::vector<std::vector<D>> weights;
    std::vector<D> z, inputs;
    for (const Vector& row : w) {
      weights.emplace_back();
      for (const double value : row) weights.back().push_back(argument(value));
    }
    for (const double value : b) z.push_back(argument(value));
    for (const double value : x) inputs.push_back(argument(value));
    for (std::size_t m = 0; m < z.size(); ++m)
      for (std::size_t k = 0; k < inputs.size(); ++k) z[m] += weights[m][k] * inputs[k];
    return z;
  }
  double derivative(std::size_t which) const {
    const std::vector<D> z = results(which);
    D loss = z.front() * z.back();
    for (std::size_t m = 0; m < z.size(); ++m) loss += z[m] * z[m] / D(static_cast<double>(m) + 2);
    return loss.derivative;
  }
  Vector upstream() const {
    const std::vector<D> z = results(w.size() * x.size() + b.size() + x.size());
    Vector gradient;
    for (std::size_t m = 0; m < z.size(); ++m)
      gradient.push_back(2 * z[m].value / (static_cast<double>(m) + 2));
    gradient.front() += z.back().value;
    gradient.back() += z.front().value;
    return gradient;
  }
};

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "the forward pass of a layer", [&] {
    checker.near("layer of [[1, 2], [3, 4], [5, 6]], b = [0.5, 0, -1], x = [10, -1]",
                 layer({{1, 2}, {3, 4}, {5, 6}}, {0.5, 0, -1}, {10, -1}), {8.5, 26, 43});
    checker.near("layer of [[2, -1, 0.5]], b = [3], x = [1, 1, 4]", layer({{2, -1, 0.5}}, {3}, {1, 1, 4}),
                 {6});
    checker.near("layer of [[2], [-3]], b = [0, 1], x = [5]", layer({{2}, {-3}}, {0, 1}, {5}), {10, -14});
  });
  checker.exercise(2, "the gradient of softmax and cross-entropy", [&] {
    checker.near("gradient for logits [0, 0] and label 1", cross_entropy_gradient({0, 0}, 1), {0.5, -0.5});
    for (std::size_t label = 0; label < 4; ++label) {
      const Vector logits = numbers(4, label + 1);
      Vector expected;
      for (std::size_t k = 0; k < 4; ++k) expected.push_back(slope_of_loss(logits, label, k));
      checker.near("gradient for four logits and label " + std::to_string(label),
                   cross_entropy_gradient(logits, static_cast<int>(label)), expected);
    }
    checker.near("gradient for logits [1000, 998] and label 1", cross_entropy_gradient({1000, 998}, 1),
                 {1 / (1 + std::exp(-2.0)), -1 / (1 + std::exp(-2.0))});
    checker.near(
        "gradient for logits [-2000, -2000, -2001] and label 0",
        cross_entropy_gradient({-2000, -2000, -2001}, 0),
        {1 / (2 + std::exp(-1.0)) - 1, 1 / (2 + std::exp(-1.0)), std::exp(-1.0) / (2 + std::exp(-1.0))});
  });
  checker.exercise(3, "the backward pass of a layer", [&] {
    constexpr std::size_t kSizes[][2] = {{3, 2}, {2, 3}, {1, 4}, {4, 4}};  // M, K
    for (const auto& [m, k] : kSizes) {
      const LossOfLayer problem{rows(m, k, 10 * m + k), numbers(m, 1), numbers(k, 2)};
      Vector expected;
      for (std::size_t i = 0; i < m * k + m + k; ++i) expected.push_back(problem.derivative(i));
      const auto w = expected.begin() + static_cast<std::ptrdiff_t>(m * k),
                 b = w + static_cast<std::ptrdiff_t>(m);
      const LayerGradients got = layer_backward(problem.w, problem.x, problem.upstream());
      const std::string size = " of a layer from " + std::to_string(k) + " to " + std::to_string(m);
      checker.near("gradient of w" + size, flat(got.w), Vector(expected.begin(), w));
      checker.near("gradient of b" + size, got.b, Vector(w, b));
      checker.near("gradient of x" + size, got.x, Vector(b, expected.end()));
    }
  });
}

}  // namespace umbra::learn

#include "tools/learn/common/check.h"

#include <cmath>
#include <numeric>

#include "engine/base/dual.h"
#include "tools/learn/05_iris/exercises.h"

namespace umbra::learn {
namespace {

using Rows = std::vector<std::vector<double>>;

void check_softmax(Checker& checker) {
  checker.near("softmax of {0, 0}", softmax({0, 0}), {0.5, 0.5});
  checker.near("softmax of {log 1, log 2, log 5}", softmax({0, std::log(2.0), std::log(5.0)}),
               {0.125, 0.25, 0.625});
  const std::vector<double> logits{0.3, -1.2, 2.5, 0.7};
  const std::vector<double> p = softmax(logits);
  checker.near("the sum of the probabilities", std::accumulate(p.begin(), p.end(), 0.0), 1);
  checker.near("softmax after adding 7 to all logits", softmax({7.3, 5.8, 9.5, 7.7}), p);
  checker.near("softmax of {1000, 1000, 0}", softmax({1000, 1000, 0}), {0.5, 0.5, 0});
  checker.near("softmax of {-1000, -1000}", softmax({-1000, -1000}), {0.5, 0.5});
}

void check_cross_entropy(Checker& checker) {
  const std::vector<double> z{0, std::log(2.0), std::log(5.0)};  // probabilities 1/8, 2/8, 5/8
  checker.near("the loss of three equal logits", cross_entropy({{4, 4, 4}}, {1}), std::log(3.0));
  checker.near("the loss of class 0 with probability 1/8", cross_entropy({z}, {0}), std::log(8.0));
  checker.near("the loss of class 2 with probability 5/8", cross_entropy({z}, {2}), std::log(1.6));
  checker.near("the mean of these two", cross_entropy({z, z}, {0, 2}), std::log(12.8) / 2);
  checker.near("the loss of class 1 for logits {1000, 0}", cross_entropy({{1000, 0}}, {1}), 1000);
  checker.near("the loss of class 0 for logits {-1000, -1000}", cross_entropy({{-1000, -1000}}, {0}),
               std::log(2.0));
}

// The derivative of the mean loss with respect to one logit, by dual numbers and the definition as it is written.
double by_dual_numbers(const Rows& logits, const std::vector<int>& labels, std::size_t row, std::size_t k) {
  Dual<double> loss = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    Dual<double> sum = 0, own = 0;
    for (std::size_t j = 0; j < logits[i].size(); ++j) {
      const Dual<double> z(logits[i][j], i == row && j == k ? 1.0 : 0.0);
      sum += exp(z);
      if (static_cast<int>(j) == labels[i]) own = exp(z);
    }
    loss -= log(own / sum);
  }
  return loss.derivative / static_cast<double>(logits.size());
}

void check_gradient(Checker& checker) {
  const Rows logits{{0.5, -1, 2}, {0, 0, 0}, {1.5, 1.25, -0.5}, {-2, 0.25, 0.75}};
  for (const std::vector<int>& labels : {std::vector<int>{2, 0, 1, 1}, std::vector<int>{0, 0, 2, 1}}) {
    const Rows got = cross_entropy_gradient(logits, labels);
    checker.expect("one row of the gradient for each flower", got.size() == logits.size());
    for (std::size_t i = 0; i < got.size() && i < logits.size(); ++i) {
      std::vector<double> expected;
      for (std::size_t k = 0; k < 3; ++k) expected.push_back(by_dual_numbers(logits, labels, i, k));
      checker.near("the gradient of flower " + std::to_string(i) + " of 4", got[i], expected);
    }
  }
  const Rows one = cross_entropy_gradient({{900, -900}}, {1});
  checker.expect("one flower, one row", one.size() == 1);
  if (one.size() == 1) checker.near("the gradient for logits {900, -900} and class 1", one[0], {1, -1});
}

}  // namespace

void check_exercises(Checker& checker) {
  checker.exercise(1, "softmax", [&] { check_softmax(checker); });
  checker.exercise(2, "the cross-entropy loss", [&] { check_cross_entropy(checker); });
  checker.exercise(3, "the gradient of the loss", [&] { check_gradient(checker); });
}

}  // namespace umbra::learn

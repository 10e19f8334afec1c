#include "tools/learn/05_iris/exercises.h"

#include <algorithm>
#include <cmath>

#include "tools/learn/common/check.h"

namespace umbra::learn {

std::vector<double> softmax(const std::vector<double>& logits) {
  // BLANK 1: return the probabilities; exp(1000) overflows, so subtract the largest logit from all first
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  double sum = 0;
  for (const double z : logits) {
    p.push_back(std::exp(z - largest));
    sum += p.back();
  }
  for (double& value : p) value /= sum;
  return p;
  // END
}

double cross_entropy(const std::vector<std::vector<double>>& logits, const std::vector<int>& labels) {
  // BLANK 2: return the mean of -log p(label) over the flowers, without overflow and without log(0)
  double total = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double largest = *std::max_element(logits[i].begin(), logits[i].end());
    double sum = 0;
    for (const double z : logits[i]) sum += std::exp(z - largest);
    total += std::log(sum) + largest - logits[i][static_cast<std::size_t>(labels[i])];
  }
  return total / static_cast<double>(logits.size());
  // END
}

std::vector<std::vector<double>> cross_entropy_gradient(const std::vector<std::vector<double>>& logits,
                                                        const std::vector<int>& labels) {
  // BLANK 3: return (p - y) / N row by row, where y is 1 for the class of the flower and 0 for the others
  std::vector<std::vector<double>> gradient;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    gradient.push_back(softmax(logits[i]));
    gradient[i][static_cast<std::size_t>(labels[i])] -= 1;
    for (double& value : gradient[i]) value /= static_cast<double>(logits.size());
  }
  return gradient;
  // END
}

}  // namespace umbra::learn

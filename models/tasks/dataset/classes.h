// The logits of a classifier as labels, probabilities and losses.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace umbra {

/// The class with the largest logit; among equal ones the first.
inline std::int64_t likeliest(std::span<const double> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

/// exp(logit) / sum of exp(logits), for logits of any size.
inline std::vector<double> probabilities(std::span<const double> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  std::vector<double> shares;
  double sum = 0;
  for (const double logit : logits) {
    shares.push_back(std::exp(logit - most));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

/// -log of the probability of the class `label`.
inline double cross_entropy(std::span<const double> logits, std::size_t label) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - most);
  return std::log(sum) + most - logits[label];
}

}  // namespace umbra

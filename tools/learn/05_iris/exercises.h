// What the learner writes in this lesson, on plain numbers. K classes have the numbers 0 … K - 1.
#pragma once

#include <vector>

namespace umbra::learn {

/// The probabilities [K] of the classes: exp(z_k) / sum over j of exp(z_j), for any finite logits z [K].
std::vector<double> softmax(const std::vector<double>& logits);

/// The mean loss of N flowers with logits [N, K] and labels [N]. The loss of a flower is minus the logarithm
/// of the probability of its class. It is finite for all finite logits, however large.
double cross_entropy(const std::vector<std::vector<double>>& logits, const std::vector<int>& labels);

/// The gradient [N, K] of that mean loss with respect to the logits.
std::vector<std::vector<double>> cross_entropy_gradient(const std::vector<std::vector<double>>& logits,
                                                        const std::vector<int>& labels);

}  // namespace umbra::learn

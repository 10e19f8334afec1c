// Scores of a classification.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace umbra {

class ClassScores {
 public:
  /// The confusion matrix is kept for at most this many classes.
  static constexpr std::int64_t kMostConfused = 1000;

  explicit ClassScores(std::int64_t classes);
  /// Adds a sample: its label, the predicted class, and -log of the predicted probability of the label.
  void add(std::int64_t label, std::int64_t predicted, double cross_entropy);
  /// accuracy, error, cross_entropy (mean and standard error each); precision and recall [K], null for a
  /// class that was never predicted or has no samples; confusion [true class][predicted class].
  nlohmann::ordered_json json() const;

 private:
  std::vector<std::int64_t> there_, said_, right_;            // [K]
  std::vector<std::int64_t> confusion_;                       // [K, K], or empty
  double samples_ = 0, correct_ = 0, sum_ = 0, squares_ = 0;  // the latter two of the cross-entropy
};

/// A mean with its standard error, from the sum and the sum of squares of `count` numbers.
nlohmann::ordered_json mean_and_error(double sum, double squares, double count);

}  // namespace umbra

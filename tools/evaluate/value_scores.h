// Scores of a regression.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace umbra {

class ValueScores {
 public:
  /// `truth` [samples, width]: the targets of all samples that will be added, from which their spread is
  /// computed.
  ValueScores(std::span<const double> truth, std::size_t width);
  /// Adds the prediction of the next sample.
  void add(std::span<const double> predicted);
  /// mse (its mean over the values with its standard error), rmse, and r2, the explained fraction of the
  /// variance, as a mean over the values; per_target: the three of each value. r2 is null for a target that
  /// does not vary.
  nlohmann::ordered_json json(const std::vector<std::string>& names) const;

 private:
  std::span<const double> truth_;
  std::size_t width_, samples_ = 0;
  std::vector<double> errors_,
      spread_;                    // [width]: sums of squares of errors, and of deviations from the true mean
  double sum_ = 0, squares_ = 0;  // over the samples, of the mean squared error of a sample
};

}  // namespace umbra

// How well values are predicted.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace umbra {

class ValueScores {
 public:
  /// `truth` [samples, width]: all that will be added, so that their spread is known.
  ValueScores(std::span<const double> truth, std::size_t width);
  /// The next sample.
  void add(std::span<const double> predicted);
  /// mse (its mean over the values with its standard error), rmse, and r2, the share of the variance that is
  /// explained, as a mean over the values; per_target: the three of each. r2 is null of what never varies.
  nlohmann::ordered_json json(const std::vector<std::string>& names) const;

 private:
  std::span<const double> truth_;
  std::size_t width_, samples_ = 0;
  std::vector<double> errors_,
      spread_;                    // [width]: sums of squares, of errors and about the mean of the truth
  double sum_ = 0, squares_ = 0;  // over the samples, of the mean squared error of one
};

}  // namespace umbra

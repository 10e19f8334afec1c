// Statistics from one pass over the inputs: mean and deviation of every channel, a fingerprint, and a check
// that all numbers are finite. The order of the sums is fixed: it depends neither on the number of threads
// nor on whether the inputs are in memory.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/base/fingerprint.h"
#include "models/tasks/dataset/input_rows.h"

namespace umbra {

/// Mean and deviation of every channel, updated row by row. A constant channel has the deviation 1, so that
/// nothing is divided by zero.
class Moments {
 public:
  /// No rows yet; append() adds them.
  explicit Moments(std::size_t channels) : mean_(channels, 0.0), squares_(channels, 0.0) {}
  /// Of a single row, [channels, …].
  Moments(std::size_t channels, std::span<const double> row);
  /// Adds the rows of `more` after the rows of this object.
  void append(const Moments& more);
  const std::vector<double>& mean() const { return mean_; }  ///< [channels]
  /// [channels]: the population standard deviation, 1 for a constant channel.
  std::vector<double> deviation() const;

 private:
  std::vector<double> mean_, squares_;  // [channels]: the latter, sum of (x - mean)^2
  double count_ = 0;                    // numbers per channel
};

/// The result of scan_inputs().
struct InputScan {
  Moments training;         ///< of the training rows
  Fingerprint fingerprint;  ///< of all rows as floats
  /// sample_key() of every row, [n].
  std::vector<double> keys = {};
};
/// A hash of the numbers of one sample, an integer below 2^53: by it a run knows a sample wherever it is found.
double sample_key(std::span<const float> sample);

/// Reads every row once, `piece` rows at a time. `training`: the training rows, ascending. Throws Error
/// with `where` and the first row that holds a number which is not a finite 32-bit float.
InputScan scan_inputs(const InputRows& inputs, const std::vector<std::int64_t>& training, std::int64_t piece,
                      const std::string& where);
/// The moments of these rows.
Moments moments_of(const InputRows& inputs, const std::vector<std::int64_t>& rows);

/// Converts rows of `row` numbers each to floats; `first` is the number of the first row, for the message.
/// Throws Error as scan_inputs() does.
std::vector<float> finite_floats(std::span<const double> numbers, std::int64_t row, std::int64_t first,
                                 const std::string& where);

}  // namespace umbra

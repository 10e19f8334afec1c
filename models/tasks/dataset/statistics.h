// What one pass over the inputs tells: mean and deviation of every channel, a fingerprint, and that all
// numbers are finite. All of it in a fixed order, whatever the number of threads and wherever the inputs lie.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/base/fingerprint.h"
#include "models/tasks/dataset/input_rows.h"

namespace umbra {

/// Mean and deviation of so many channels, of rows as they come. What is constant has the deviation 1, so that
/// nothing is divided by zero.
class Moments {
 public:
  explicit Moments(std::size_t channels) : mean_(channels, 0.0), squares_(channels, 0.0) {}
  /// Of one row alone, [channels, …].
  Moments(std::size_t channels, std::span<const double> row);
  /// This one's rows, then those of `more`.
  void append(const Moments& more);
  const std::vector<double>& mean() const { return mean_; }
  std::vector<double> deviation() const;

 private:
  std::vector<double> mean_, squares_;  // [channels]: the latter, sum of (x - mean)^2
  double count_ = 0;                    // numbers per channel
};

struct InputScan {
  Moments training;         // of the training rows
  Fingerprint fingerprint;  // of all rows as floats
};
/// Reads every row once, `piece` of them at a time. `training` ascends. Throws Error naming `where` and the
/// first row that holds a number which is no finite float.
InputScan scan_inputs(const InputRows& inputs, const std::vector<std::int64_t>& training, std::int64_t piece,
                      const std::string& where);
/// Of those rows alone.
Moments moments_of(const InputRows& inputs, const std::vector<std::int64_t>& rows);

/// Numbers of rows from `first` on, as floats. Throws Error as scan_inputs().
std::vector<float> finite_floats(std::span<const double> numbers, std::int64_t row, std::int64_t first,
                                 const std::string& where);

}  // namespace umbra

#include "models/tasks/dataset/samples.h"

#include <algorithm>

namespace umbra {

Samples::Samples(const InputRows& inputs, const std::vector<double>& targets, std::vector<std::int64_t> rows,
                 const DatasetFit& fit, bool flips)
    : inputs_(inputs), targets_(targets), rows_(std::move(rows)), fit_(fit), flips_(flips) {}

void Samples::read(std::int64_t index, const Rng* augmentation, std::span<float> input,
                   std::span<float> target) const {
  thread_local std::vector<double> numbers;
  numbers.resize(input.size());
  const std::int64_t row = rows_[static_cast<std::size_t>(index)];
  inputs_.read(row, numbers);
  fit_.standardise(numbers, input);
  if (flips_ && augmentation != nullptr && augmentation->uniform(0) < 0.5) {
    const std::int64_t width = fit_.input_shape[2];
    for (auto line = input.begin(); line != input.end(); line += width) std::reverse(line, line + width);
  }
  if (targets_.empty()) return std::fill(target.begin(), target.end(), 0.0F);
  const double* numbers_of_row = targets_.data() + row * static_cast<std::int64_t>(target.size());
  for (std::size_t k = 0; k < target.size(); ++k)
    target[k] =
        static_cast<float>(fit_.classes > 0 ? numbers_of_row[k] : fit_.standardised(numbers_of_row[k], k));
}

}  // namespace umbra

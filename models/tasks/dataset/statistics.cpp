#include "models/tasks/dataset/statistics.h"

#include <algorithm>
#include <cmath>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::int64_t kNumbersPerChunk = 1 << 14;

// Calls body(i) for every one of `count` rows of `row` numbers, on all threads.
template <class Body>
void for_each_row(std::int64_t count, std::int64_t row, const Body& body) {
  const std::int64_t grain = std::max<std::int64_t>(kNumbersPerChunk / row, 1);
  parallel_chunks(count, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i);
  });
}

std::span<const double> row_at(std::span<const double> numbers, std::int64_t i, std::int64_t row) {
  return numbers.subspan(static_cast<std::size_t>(i * row), static_cast<std::size_t>(row));
}

}  // namespace

// The sums are taken relative to the first number of a channel and then to the mean found in this way, so
// that numbers that are all equal have a deviation of exactly zero.
Moments::Moments(std::size_t channels, std::span<const double> row) : mean_(channels), squares_(channels) {
  const std::size_t positions = row.size() / channels;
  count_ = static_cast<double>(positions);
  for (std::size_t c = 0; c < channels; ++c) {
    const std::span<const double> numbers = row.subspan(c * positions, positions);
    double sum = 0, squares = 0;
    for (const double x : numbers) sum += x - numbers[0];
    const double mean = numbers[0] + sum / count_;
    for (const double x : numbers) squares += (x - mean) * (x - mean);
    mean_[c] = mean;
    squares_[c] = squares;
  }
}

// Chan, Golub & LeVeque (1979), updating formulae.
void Moments::append(const Moments& more) {
  const double all = count_ + more.count_;
  for (std::size_t c = 0; c < mean_.size(); ++c) {
    const double difference = more.mean_[c] - mean_[c];
    mean_[c] += difference * (more.count_ / all);
    squares_[c] += more.squares_[c] + difference * difference * (count_ * (more.count_ / all));
  }
  count_ = all;
}

double sample_key(std::span<const float> sample) {
  constexpr double kBits = 1 << 21;  // with the 32 bits of the upper half, 53
  Fingerprint hash;
  hash.add(sample);
  const std::vector<double> halves = hash.value();
  return halves[0] * kBits + std::fmod(halves[1], kBits);
}

std::vector<double> Moments::deviation() const {
  std::vector<double> deviations;
  for (const double squares : squares_) deviations.push_back(squares > 0 ? std::sqrt(squares / count_) : 1);
  return deviations;
}

std::vector<float> finite_floats(std::span<const double> numbers, std::int64_t row, std::int64_t first,
                                 const std::string& where) {
  std::vector<float> floats(numbers.size());
  const auto rows = static_cast<std::int64_t>(numbers.size()) / row;
  std::vector<char> finite(static_cast<std::size_t>(rows));
  for_each_row(rows, row, [&](std::int64_t i) {
    const std::span<const double> one = row_at(numbers, i, row);
    float* out = floats.data() + i * row;
    bool all = true;
    for (std::size_t k = 0; k < one.size(); ++k) {
      out[k] = static_cast<float>(one[k]);
      all = all && std::isfinite(out[k]);
    }
    finite[static_cast<std::size_t>(i)] = all ? 1 : 0;
  });
  const auto bad = std::find(finite.begin(), finite.end(), 0);
  if (bad == finite.end()) return floats;
  for (const double number : row_at(numbers, bad - finite.begin(), row))
    require(std::isfinite(static_cast<float>(number)), where, ", /inputs: row ",
            first + (bad - finite.begin()), " holds ", number, ", but finite 32-bit floats are expected");
  return floats;
}

InputScan scan_inputs(const InputRows& inputs, const std::vector<std::int64_t>& training, std::int64_t piece,
                      const std::string& where) {
  const std::int64_t row = inputs.shape().count();
  const auto channels = static_cast<std::size_t>(inputs.shape()[0]);
  InputScan scan{Moments(channels), {}};
  std::vector<double> numbers;
  auto next = training.begin();
  for (std::int64_t first = 0; first < inputs.count(); first += piece) {
    const std::int64_t rows = std::min(piece, inputs.count() - first);
    numbers.resize(static_cast<std::size_t>(rows * row));
    inputs.read(first, numbers);
    const std::vector<float> floats = finite_floats(numbers, row, first, where);
    scan.fingerprint.add(floats);
    scan.keys.resize(static_cast<std::size_t>(first + rows));
    for_each_row(rows, row, [&](std::int64_t i) {
      scan.keys[static_cast<std::size_t>(first + i)] = sample_key(
          std::span(floats).subspan(static_cast<std::size_t>(i * row), static_cast<std::size_t>(row)));
    });
    const auto end = std::lower_bound(next, training.end(), first + rows);
    std::vector<Moments> moments(static_cast<std::size_t>(end - next), Moments(0));
    for_each_row(end - next, row, [&](std::int64_t i) {
      moments[static_cast<std::size_t>(i)] = Moments(channels, row_at(numbers, next[i] - first, row));
    });
    for (const Moments& of_row : moments) scan.training.append(of_row);
    next = end;
  }
  return scan;
}

Moments moments_of(const InputRows& inputs, const std::vector<std::int64_t>& rows) {
  const auto channels = static_cast<std::size_t>(inputs.shape()[0]);
  Moments moments(channels);
  std::vector<double> numbers(static_cast<std::size_t>(inputs.shape().count()));
  for (const std::int64_t row : rows) {
    inputs.read(row, numbers);
    moments.append(Moments(channels, numbers));
  }
  return moments;
}

}  // namespace umbra

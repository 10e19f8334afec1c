#include "models/tasks/dataset/samples.h"

#include <algorithm>
#include <cmath>

namespace umbra {
namespace {

// The random numbers of a sample: those of its own augmentation, of that of the sample it is mixed with, the choice of the
// latter, and the share, which takes as many as it needs.
constexpr std::uint64_t kOther = 8, kPartner = 16, kShare = 17;

// From the beta distribution with the parameters a and a (Jöhnk 1964).
double beta_share(const Rng& rng, double a) {
  for (std::uint64_t i = kShare;; i += 2) {
    const double x = std::log(rng.uniform(i)) / a,
                 y = std::log(rng.uniform(i + 1)) / a;  // logarithms: a may be small
    const double most = std::max(x, y);
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    const double sum = std::exp(x - most) + std::exp(y - most);
    if (std::log(sum) + most <= 0) return std::exp(x - most) / sum;
  }
}

}  // namespace

Samples::Samples(const InputRows& inputs, const std::vector<double>& targets, std::vector<std::int64_t> rows,
                 const DatasetFit& fit, SampleOptions options)
    : inputs_(inputs), targets_(targets), rows_(std::move(rows)), fit_(fit), options_(std::move(options)) {}

Shape Samples::target_shape() const {
  if (has_labels()) return {};
  return fit_.classes > 0 ? Shape{fit_.classes} : Shape{fit_.values()};
}

void Samples::read(std::int64_t index, const Rng* augmentation, std::span<float> input,
                   std::span<float> target) const {
  std::fill(target.begin(), target.end(), 0.0F);
  if (augmentation == nullptr || options_.mixup == 0)
    return read_one(index, augmentation, 0, input, target, 1);
  const double share = beta_share(*augmentation, options_.mixup);
  const auto partner = static_cast<std::int64_t>(augmentation->below(kPartner, rows_.size()));
  thread_local std::vector<float> other;
  other.resize(input.size());
  read_one(index, augmentation, 0, input, target, share);
  read_one(partner, augmentation, kOther, other, target, 1 - share);
  for (std::size_t i = 0; i < input.size(); ++i)
    input[i] = static_cast<float>(share * static_cast<double>(input[i]) +
                                  (1 - share) * static_cast<double>(other[i]));
}

void Samples::read_one(std::int64_t index, const Rng* augmentation, std::uint64_t first,
                       std::span<float> input, std::span<float> target, double share) const {
  thread_local std::vector<double> numbers;
  numbers.resize(input.size());
  const std::int64_t row = rows_[static_cast<std::size_t>(index)];
  inputs_.read(row, numbers);
  fit_.standardise(numbers, input);
  ImageTransform how;
  if (augmentation != nullptr && options_.augmentation.any()) {
    how = draw(options_.augmentation, *augmentation, first);
    transform(how, fit_.input_shape, input);
  }
  if (!targets_.empty()) add_target(row, how.flip && !options_.mirror.empty(), target, share);
}

void Samples::add_target(std::int64_t row, bool flipped, std::span<float> target, double share) const {
  const std::int64_t width = fit_.classes > 0 ? 1 : fit_.values();
  const double* numbers = targets_.data() + row * width;
  const auto mirrored = [&](std::int64_t k) {
    return flipped ? options_.mirror[static_cast<std::size_t>(k)] : k;
  };
  if (fit_.classes == 0) {
    for (std::size_t k = 0; k < target.size(); ++k)
      target[k] = static_cast<float>(fit_.standardised(numbers[mirrored(static_cast<std::int64_t>(k))], k));
    return;
  }
  const std::int64_t label = mirrored(static_cast<std::int64_t>(numbers[0]));
  if (has_labels()) {
    target[0] = static_cast<float>(label);
    return;
  }
  const double spread = options_.smoothing / static_cast<double>(fit_.classes);
  for (std::int64_t k = 0; k < fit_.classes; ++k)
    target[static_cast<std::size_t>(k)] +=
        static_cast<float>(share * (spread + (k == label ? 1 - options_.smoothing : 0)));
}

}  // namespace umbra

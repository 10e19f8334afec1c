// Samples that are lists of halos.
#include <algorithm>
#include <limits>

#include "data/boxes/boxes.h"
#include "engine/base/error.h"

namespace umbra {

HaloDataset::HaloDataset(const BoxSet& boxes, std::vector<std::int64_t> indices)
    : boxes_(boxes), indices_(std::move(indices)), longest_(boxes.longest_list()) {
  for (const std::int64_t index : indices_)
    require(index >= 0 && index < boxes.count, "sub-box ", index, " does not exist; there are ", boxes.count);
  std::int64_t first = 0;
  for (const std::int64_t halos : boxes.halos) {
    halo_begin_.push_back(first);
    first += halos;
  }
}

std::int64_t HaloDataset::size() const {
  return std::ssize(indices_);
}

Shape HaloDataset::input_shape() const {
  const BoxOptions& options = boxes_.options;
  return {longest_, static_cast<std::int64_t>(options.features.size() + options.list_numbers()) + 2};
}

Shape HaloDataset::target_shape() const {
  return {boxes_.options.smf_bins + longest_ + 1};
}

std::int64_t HaloDataset::rows(std::int64_t index) const {
  return std::max<std::int64_t>(
      boxes_.halos[static_cast<std::size_t>(indices_[static_cast<std::size_t>(index)])], 1);
}

void HaloDataset::read(std::int64_t index, const Rng*, std::span<float> input,
                       std::span<float> target) const {
  require(index >= 0 && index < size(), "sample ", index, " does not exist; there are ", size());
  const auto columns = static_cast<std::size_t>(input_shape()[1]), rows = input.size() / columns,
             bins = static_cast<std::size_t>(boxes_.options.smf_bins),
             features = boxes_.options.features.size(), once = boxes_.options.list_numbers();
  require(rows >= static_cast<std::size_t>(this->rows(index)) && input.size() == rows * columns &&
              target.size() == bins + rows + 1,
          "a list of ", this->rows(index), " halos does not fit into an input of ", input.size(),
          " numbers with a target of ", target.size());
  const auto box = static_cast<std::size_t>(indices_[static_cast<std::size_t>(index)]);
  const auto halos = static_cast<std::size_t>(boxes_.halos[box]);
  const float* const list = boxes_.input.data() + boxes_.list_begin[box];
  for (std::size_t row = 0; row < rows; ++row) {
    float* out = input.data() + row * columns;
    const bool absent = row >= halos;
    if (absent)
      std::fill_n(out, features, 0.0f);
    else
      std::copy_n(list + once + row * features, features, out);
    std::copy_n(list, once, out + features);
    out[features + once] = absent ? 0.0f : 1.0f / (kListSoftening + static_cast<float>(halos));
    out[features + once + 1] = absent ? 1.0f : 0.0f;
  }
  const bool known = !boxes_.smf.empty();
  std::fill(target.begin(), target.begin() + static_cast<std::ptrdiff_t>(bins),
            std::numeric_limits<float>::quiet_NaN());
  std::fill(target.begin() + static_cast<std::ptrdiff_t>(bins), target.end(), -1.0f);
  if (!known) return;
  std::copy_n(boxes_.smf.data() + box * bins, bins, target.begin());
  std::copy_n(boxes_.classes.data() + halo_begin_[box], halos,
              target.begin() + static_cast<std::ptrdiff_t>(bins));
}

std::unique_ptr<Dataset> make_dataset(const BoxSet& boxes, std::vector<std::int64_t> indices,
                                      Augmentation augmentation) {
  if (boxes.options.input == BoxInput::kHalos)
    return std::make_unique<HaloDataset>(boxes, std::move(indices));
  return std::make_unique<BoxDataset>(boxes, std::move(indices), augmentation);
}

}  // namespace umbra

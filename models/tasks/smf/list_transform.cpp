#include "models/tasks/smf/list_transform.h"

#include <algorithm>
#include <cmath>

#include "models/tasks/smf/mean_and_deviation.h"

namespace umbra {
namespace {

// Log of the mean number of galaxies per training box that belong to no halo of its list. A bin without any is treated
// as if all training boxes together had one.
std::vector<double> log_background(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                                   const SmfSettings& settings) {
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  std::vector<double> sums(bins, 0.0);
  std::vector<std::size_t> first(boxes.halos.size() + 1, 0);  // of the classes of each box
  for (std::size_t box = 0; box < boxes.halos.size(); ++box)
    first[box + 1] = first[box] + static_cast<std::size_t>(boxes.halos[box]);
  for (const std::int64_t index : train) {
    const auto box = static_cast<std::size_t>(index);
    for (std::size_t b = 0; b < bins; ++b)
      sums[b] += static_cast<double>(boxes.smf[box * bins + b]) * settings.galaxies_per_phi();
    for (std::size_t halo = first[box]; halo < first[box + 1]; ++halo) {
      const auto b = static_cast<std::size_t>(boxes.classes[halo]);
      if (b < bins) sums[b] -= 1;
    }
  }
  for (double& sum : sums) sum = std::log(std::max(sum, 1.0) / static_cast<double>(train.size()));
  return sums;
}

}  // namespace

void list_scales(const BoxSet& boxes, const std::vector<std::int64_t>& train, const SmfSettings& settings,
                 Transform& transform) {
  const std::size_t features = boxes.options.features.size(), once = boxes.options.list_numbers();
  const auto list = [&](std::int64_t box) {
    return boxes.input.data() + boxes.list_begin[static_cast<std::size_t>(box)];
  };
  std::vector<const float*> halos;  // of the training boxes
  for (const std::int64_t box : train)
    for (std::int64_t i = 0; i < boxes.halos[static_cast<std::size_t>(box)]; ++i)
      halos.push_back(list(box) + once + static_cast<std::size_t>(i) * features);
  for (std::size_t f = 0; f < features; ++f) {
    const MeanAndDeviation m =
        mean_and_deviation(halos.size(), [&](std::size_t i) { return static_cast<double>(halos[i][f]); });
    transform.input_shift.push_back(m.mean);
    transform.input_scale.push_back(inverse(m.deviation));
  }
  for (std::size_t k = 0; k < once; ++k) {
    const MeanAndDeviation m = mean_and_deviation(
        train.size(), [&](std::size_t i) { return static_cast<double>(list(train[i])[k]); });
    transform.parameter_shift.push_back(m.mean);
    transform.parameter_scale.push_back(inverse(m.deviation));
  }
  transform.longest_list = {static_cast<double>(boxes.longest_list())};
  transform.background = log_background(boxes, train, settings);
}

void scale_lists(BoxSet& boxes, const Transform& t) {
  const std::size_t features = t.input_scale.size(), once = t.parameter_shift.size();
  const auto scaled = [](float x, double shift, double scale) {
    return static_cast<float>((static_cast<double>(x) - shift) * scale);
  };
  for (std::size_t b = 0; b + 1 < boxes.list_begin.size(); ++b) {
    const auto begin = static_cast<std::size_t>(boxes.list_begin[b]),
               end = static_cast<std::size_t>(boxes.list_begin[b + 1]);
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t k = i - begin;
      float& x = boxes.input[i];
      if (k < once) {
        x = scaled(x, t.parameter_shift[k], t.parameter_scale[k]);
      } else {
        const std::size_t f = (k - once) % features;
        x = std::clamp(scaled(x, t.input_shift[f], t.input_scale[f]), -kListCut, kListCut);
      }
    }
  }
}

}  // namespace umbra

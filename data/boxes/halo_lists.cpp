// The lists of halos of sub-boxes (BoxInput::kHalos). Their order is a function of the halos alone, not of the rows of
// the catalog.
#include <algorithm>
#include <bit>
#include <cmath>

#include "data/boxes/cut.h"
#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra {

void check_feature(const Feature& feature, BoxInput input, const std::string& where) {
  using Kind = Feature::Kind;
  if (input == BoxInput::kVoxels) {
    require(feature.kind != Kind::kNeighbours, where,
            ": neighbours(r) is a property of a halo in a list; set data.input=halos");
    return;
  }
  require(
      feature.kind != Kind::kCount && !(feature.kind == Kind::kMean && feature.value.names().empty()), where,
      ": occupancy and count are properties of voxels, but the input is a list of halos (data.input=halos)");
}

std::int64_t BoxSet::longest_list() const {
  return halos.empty() ? 1 : std::max<std::int64_t>(*std::max_element(halos.begin(), halos.end()), 1);
}

// The first words of the halos above the cut, sorted.
std::vector<std::size_t> BoxCutter::list_of(std::span<const std::uint64_t> halos,
                                            std::span<const std::int64_t> which) const {
  std::vector<std::size_t> list;
  for (const std::int64_t halo : which) {
    const std::size_t at = static_cast<std::size_t>(halo) * words();
    if (enters(halos[at])) list.push_back(at);
  }
  const auto number = [&](std::size_t at, std::size_t word) {
    return std::bit_cast<double>(halos[at + word]);
  };
  const std::size_t vpeak = words() - kListWords;
  std::sort(list.begin(), list.end(), [&](std::size_t a, std::size_t b) {
    if (number(a, vpeak) != number(b, vpeak)) return number(a, vpeak) > number(b, vpeak);
    for (std::size_t word = 1; word < words(); ++word)
      if (number(a, word) != number(b, word)) return number(a, word) < number(b, word);
    return halos[a] < halos[b];
  });
  return list;
}

// log10(1 + the number of other halos within the radius), periodic where the sub-box is. [list]
std::vector<float> BoxCutter::neighbours_of(const Feature& feature, std::span<const std::uint64_t> halos,
                                            std::span<const std::size_t> list) const {
  const double period = set_.per_side == 1 ? set_.options.subbox_size : 0;
  std::vector<std::int64_t> counts(list.size(), 0);
  const auto coordinate = [&](std::size_t i, std::size_t axis) {
    return std::bit_cast<double>(halos[list[i] + words() - 3 + axis]);
  };
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      double square = 0;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        double d = std::abs(coordinate(i, axis) - coordinate(j, axis));
        if (period > 0) d = std::min(d, period - d);
        square += d * d;
      }
      if (square <= feature.radius * feature.radius) ++counts[i], ++counts[j];
    }
  }
  std::vector<float> logs;
  for (const std::int64_t count : counts)
    logs.push_back(static_cast<float>(std::log10(1 + static_cast<double>(count))));
  return logs;
}

void BoxCutter::fill_lists(std::span<const std::uint64_t> halos, const Groups& groups, BoxSet& set) const {
  const std::size_t features = features_.size(), once = set.options.list_numbers();
  std::vector<std::vector<std::size_t>> lists(static_cast<std::size_t>(set.count));
  parallel_for(set.count, [&](std::int64_t b) {
    lists[static_cast<std::size_t>(b)] = list_of(halos, groups.of(static_cast<std::size_t>(b)));
  });
  set.list_begin.push_back(0);
  for (std::size_t b = 0; b < lists.size(); ++b) {
    set.halos[b] = std::ssize(lists[b]);
    set.list_begin.push_back(set.list_begin.back() +
                             static_cast<std::int64_t>(once + lists[b].size() * features));
    for (std::size_t i = 0; has_masses_ && i < lists[b].size(); ++i) {
      const int bin = mass_bin(halos[lists[b][i]]);
      set.classes.push_back(static_cast<std::int16_t>(bin < 0 ? set.options.smf_bins : bin));
    }
  }
  set.input.resize(static_cast<std::size_t>(set.list_begin.back()));
  parallel_for(set.count, [&](std::int64_t index) {
    const auto b = static_cast<std::size_t>(index);
    const std::vector<std::size_t>& list = lists[b];
    float* out = set.input.data() + set.list_begin[b];
    const auto cube = static_cast<std::size_t>(set.box[b] / set.per_cube());
    for (const std::vector<double>& parameter : parameters_) *out++ = static_cast<float>(parameter[cube]);
    *out++ = static_cast<float>(std::log10(1 + static_cast<double>(list.size())));
    for (std::size_t f = 0; f < features; ++f) {
      const bool counted = features_[f].kind == Feature::Kind::kNeighbours;
      const std::vector<float> counts =
          counted ? neighbours_of(features_[f], halos, list) : std::vector<float>();
      for (std::size_t i = 0; i < list.size(); ++i)
        out[i * features + f] =
            counted ? counts[i] : static_cast<float>(std::bit_cast<double>(halos[list[i] + 1 + f]));
    }
  });
}

}  // namespace umbra

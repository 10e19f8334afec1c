// The grids of sub-boxes (BoxInput::kVoxels). One thread fills each sub-box in the order of its halos: sums depend
// neither on the number of threads nor on the number of sub-boxes built at once.
#include <algorithm>
#include <bit>

#include "data/boxes/cut.h"
#include "engine/cpu/parallel.h"

namespace umbra {

// The input of one sub-box, whose halos are `which`, voxel by voxel.
std::int64_t BoxCutter::fill_input(std::span<const std::uint64_t> halos, std::span<const std::int64_t> which,
                                   std::int64_t box, std::span<float> input) const {
  const std::size_t volume = volume_;
  const std::uint64_t first_cell = static_cast<std::uint64_t>(box) * volume_;
  std::vector<std::pair<std::size_t, std::size_t>>
      inside;  // (voxel, first feature) of every halo above the cut
  std::vector<std::int32_t> count(volume, 0);
  for (const std::int64_t halo : which) {
    const std::size_t at = static_cast<std::size_t>(halo) * words();
    if (!enters(halos[at])) continue;
    const std::size_t voxel = (halos[at] >> kCellBit) - first_cell;
    inside.emplace_back(voxel, at + 1);
    ++count[voxel];
  }
  std::vector<double> sum(volume);
  for (std::size_t feature = 0; feature + 1 < words(); ++feature) {
    if (features_[feature].kind == Feature::Kind::kCount) {
      std::copy(count.begin(), count.end(), input.subspan(feature * volume).begin());
      continue;
    }
    std::fill(sum.begin(), sum.end(), 0.0);
    for (const auto& [voxel, at] : inside) sum[voxel] += std::bit_cast<double>(halos[at + feature]);
    for (std::size_t voxel = 0; voxel < volume; ++voxel)
      input[feature * volume + voxel] = count[voxel] ? static_cast<float>(sum[voxel] / count[voxel]) : 0.0f;
  }
  return static_cast<std::int64_t>(inside.size());
}

void BoxCutter::fill_parameters(std::int64_t box, std::span<float> input) const {
  const auto cube = static_cast<std::size_t>(box / set_.per_cube());
  std::span<float> rest = input.subspan(features_.size() * volume_);
  for (const std::vector<double>& parameter : parameters_) {
    std::fill_n(rest.begin(), volume_, static_cast<float>(parameter[cube]));
    rest = rest.subspan(volume_);
  }
}

void BoxCutter::fill_grids(std::span<const std::uint64_t> halos, const Groups& groups, BoxSet& set) const {
  check_memory(set.count);
  const std::size_t length = volume_ * set.options.channels();
  set.input.resize(static_cast<std::size_t>(set.count) * length);
  parallel_for(set.count, [&](std::int64_t index) {
    const auto b = static_cast<std::size_t>(index);
    const std::span<float> input = std::span(set.input).subspan(b * length, length);
    set.halos[b] = fill_input(halos, groups.of(b), groups.first + index, input);
    fill_parameters(groups.first + index, input);
  });
}

}  // namespace umbra

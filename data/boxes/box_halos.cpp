#include "data/boxes/box_halos.h"

#include <bit>

#include "data/boxes/cut.h"

namespace umbra {

// A counting sort by sub-box, which keeps the order of rows within one.
BoxHalos halos_of_boxes(const Catalog& catalog, const BoxOptions& options) {
  BoxOptions with_voxels = options;
  with_voxels.input = BoxInput::kVoxels;
  const BoxCutter cutter(catalog, with_voxels);
  std::vector<std::uint64_t> halos;
  cutter.cut(catalog, halos);
  const std::size_t words = cutter.words();
  const auto box_of = [&](std::size_t at) { return static_cast<std::size_t>(cutter.box_of(halos[at])); };
  BoxHalos sorted;
  sorted.begin.assign(static_cast<std::size_t>(cutter.count()) + 1, 0);
  for (std::size_t at = 0; at < halos.size(); at += words)
    sorted.begin[box_of(at) + 1] += BoxCutter::enters(halos[at]) ? 1 : 0;
  for (std::size_t b = 1; b < sorted.begin.size(); ++b) sorted.begin[b] += sorted.begin[b - 1];
  const auto all = static_cast<std::size_t>(sorted.begin.back());
  sorted.bin.resize(all);
  sorted.voxel.resize(all);
  sorted.values.assign(words - 1, std::vector<double>(all));
  std::vector<std::int64_t> next(sorted.begin.begin(), sorted.begin.end() - 1);
  for (std::size_t at = 0; at < halos.size(); at += words) {
    if (!BoxCutter::enters(halos[at])) continue;
    const auto place = static_cast<std::size_t>(next[box_of(at)]++);
    sorted.voxel[place] = cutter.voxel_of(halos[at]);
    sorted.bin[place] = BoxCutter::mass_bin(halos[at]);
    for (std::size_t f = 0; f + 1 < words; ++f)
      sorted.values[f][place] = std::bit_cast<double>(halos[at + 1 + f]);
  }
  return sorted;
}

}  // namespace umbra

#include "data/boxes/box_halos.h"

#include <bit>

#include "data/boxes/cut.h"

namespace umbra {

BoxHalos halos_of_boxes(const Catalog& catalog, const BoxOptions& options) {
  BoxOptions with_voxels = options;
  with_voxels.input = BoxInput::kVoxels;
  const BoxCutter cutter(catalog, with_voxels);
  std::vector<std::uint64_t> halos;
  cutter.cut(catalog, halos);
  const BoxCutter::Groups groups = cutter.grouped(0, cutter.count(), halos);
  BoxHalos sorted;
  sorted.begin = {0};
  sorted.values.resize(cutter.words() - 1);
  for (std::size_t box = 0; box < static_cast<std::size_t>(cutter.count()); ++box) {
    for (const std::int64_t halo : groups.of(box)) {
      const std::uint64_t* words = halos.data() + static_cast<std::size_t>(halo) * cutter.words();
      if (!BoxCutter::enters(words[0])) continue;
      sorted.voxel.push_back(cutter.voxel_of(words[0]));
      sorted.bin.push_back(BoxCutter::mass_bin(words[0]));
      for (std::size_t f = 0; f < sorted.values.size(); ++f)
        sorted.values[f].push_back(std::bit_cast<double>(words[1 + f]));
    }
    sorted.begin.push_back(std::ssize(sorted.bin));
  }
  return sorted;
}

}  // namespace umbra

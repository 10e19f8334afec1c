// The halos of sub-boxes as lists: what the cells of a grid average over.
#pragma once

#include <cstdint>
#include <vector>

#include "data/boxes/boxes.h"

namespace umbra {

/// The halos above the cut in vpeak, grouped by sub-box; within a sub-box in the order of rows.
struct BoxHalos {
  std::vector<std::int64_t> begin;  ///< [boxes + 1]: first halo of each sub-box
  std::vector<std::vector<double>>
      values;                       ///< [feature][halo], in the order of BoxOptions::features; a count is 1
  std::vector<std::int64_t> voxel;  ///< [halo]: its voxel in the sub-box, x slowest
  std::vector<int> bin;             ///< [halo]: mass bin of its galaxy, or -1

  /// The number of all halos.
  std::size_t size() const { return bin.size(); }
};

/// The halos of the inputs of make_boxes() with the same arguments. Throws Error as it does.
BoxHalos halos_of_boxes(const Catalog& catalog, const BoxOptions& options);

}  // namespace umbra

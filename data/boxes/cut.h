// Cutting a catalog into sub-boxes in two steps, so that a whole catalog (make_boxes) and one read in pieces
// (box_stream.h) go the same way and end in the same bits: rows become halos, small records of fixed length;
// halos, in the order of their rows, become the BoxSet of some consecutive sub-boxes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/boxes/boxes.h"

namespace umbra {

class BoxCutter {
 public:
  /// `catalog` need not have rows: its header and the names of its columns are what counts. Throws Error as
  /// make_boxes does.
  BoxCutter(const Catalog& catalog, const BoxOptions& options);

  std::int64_t count() const { return count_; }  // sub-boxes of the catalog
  /// Throws Error when the inputs of `boxes` sub-boxes are absurdly many numbers.
  void check_memory(std::int64_t boxes) const;

  // A halo is 1 + features words: where it stands and what it counts for, then its features as the bits of
  // doubles.
  std::size_t words() const { return 1 + set_.options.features.size(); }
  std::int64_t box_of(std::uint64_t first_word) const {
    return static_cast<std::int64_t>((first_word >> kCellBit) / volume_);
  }
  /// Whether the halo enters the input (it may count as a galaxy alone).
  static bool enters(std::uint64_t first_word) { return (first_word & 1) != 0; }

  /// Appends the halos of `part` (a catalog, or some of its rows) in their order; rows that count for nothing
  /// are left out.
  void cut(const Catalog& part, std::vector<std::uint64_t>& halos) const;
  /// Sub-boxes `first` to first + count from their halos, which may be mixed but must be in the order of
  /// rows.
  BoxSet build(std::int64_t first, std::int64_t count, std::span<const std::uint64_t> halos) const;

 private:
  // The first word: cell << kCellBit | (mass bin + 1) << 1 | enters; cell = sub-box * voxels^3 + voxel.
  static constexpr int kCellBit = 14, kCellBits = 64 - kCellBit;
  static int bin_of_word(std::uint64_t word) { return static_cast<int>(word >> 1 & 0x1fff) - 1; }

  std::int64_t fill_input(std::span<const std::uint64_t> halos, std::span<const std::int64_t> which,
                          std::int64_t box, std::span<float> input) const;
  void fill_labels(std::span<const std::uint64_t> halos, std::span<const std::int64_t> begin,
                   std::span<const std::int64_t> order, BoxSet& set) const;

  BoxSet set_;  // options, bins, errors and names; no boxes
  std::int64_t count_ = 0;
  std::uint64_t volume_ = 1;  // voxels of a sub-box
  bool has_masses_ = false;
};

}  // namespace umbra

// Cutting a catalog into sub-boxes in two steps, so that a whole catalog (make_boxes) and one read in
// pieces (box_stream.h) give bit-identical results: rows become halos, which are small records of fixed
// length; halos, in the order of their rows, become the BoxSet of some consecutive sub-boxes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/boxes/boxes.h"
#include "data/boxes/features.h"

namespace umbra {

/// Throws Error, which begins with `where`, if a feature of that kind does not exist in such an input.
void check_feature(const Feature& feature, BoxInput input, const std::string& where);

/// Turns rows of a catalog into halos, and halos into sub-boxes.
class BoxCutter {
 public:
  /// Uses only the header of `catalog` and the names of its columns; it need not have rows. Throws Error as
  /// make_boxes() does.
  BoxCutter(const Catalog& catalog, const BoxOptions& options);

  std::int64_t count() const { return count_; }  ///< sub-boxes of the catalog
  /// Whether a feature is a residual, so that cut() needs BoxOptions::references.
  bool needs_references() const { return reference_numbers(features_) > 0; }
  /// Throws Error when the inputs of `boxes` sub-boxes have 2^35 numbers (128 GiB) or more.
  void check_memory(std::int64_t boxes) const;

  /// The number of words of a halo: its voxel, its mass bin and whether it enters the input; then its features
  /// and, for lists of halos, its vpeak and position as the bits of doubles.
  std::size_t words() const {
    return 1 + set_.options.features.size() + (set_.options.input == BoxInput::kHalos ? kListWords : 0);
  }
  /// The sub-box of a halo.
  std::int64_t box_of(std::uint64_t first_word) const {
    return static_cast<std::int64_t>((first_word >> kCellBit) / volume_);
  }
  /// Whether the halo enters the input; if not, it is only a galaxy.
  static bool enters(std::uint64_t first_word) { return (first_word & 1) != 0; }
  /// The voxel of the halo in its sub-box, x slowest.
  std::int64_t voxel_of(std::uint64_t first_word) const {
    return static_cast<std::int64_t>((first_word >> kCellBit) % volume_);
  }
  /// The mass bin of the halo's galaxy, or -1.
  static int mass_bin(std::uint64_t first_word) { return static_cast<int>(first_word >> 1 & 0x1fff) - 1; }

  /// Appends the halos of `part` (a catalog, or some of its rows) in their order. Rows that are neither in
  /// the input nor galaxies in a bin are left out. Throws Error when the column `box` names a cube that
  /// does not exist, a feature of a halo in the input is not finite, or a residual has no reference.
  void cut(const Catalog& part, std::vector<std::uint64_t>& halos) const;
  /// The sub-boxes `first` to first + count - 1 from their halos, which must be in the order of rows but
  /// need not be grouped by sub-box.
  BoxSet build(std::int64_t first, std::int64_t count, std::span<const std::uint64_t> halos) const;
  /// Halos by sub-box, in their order.
  struct Groups {
    std::int64_t first;               ///< sub-box
    std::vector<std::int64_t> begin;  ///< [sub-boxes + 1]: where those of first + b begin in `order`
    std::vector<std::int64_t> order;  ///< the halos, by sub-box
    /// The halos of sub-box first + b.
    std::span<const std::int64_t> of(std::size_t b) const {
      return std::span(order).subspan(static_cast<std::size_t>(begin[b]),
                                      static_cast<std::size_t>(begin[b + 1] - begin[b]));
    }
  };
  /// Groups `halos`, the words that cut() gave for halos of the sub-boxes first to first + count - 1.
  Groups grouped(std::int64_t first, std::int64_t count, std::span<const std::uint64_t> halos) const;

 private:
  // The first word: cell << kCellBit | (mass bin + 1) << 1 | enters; cell = sub-box * voxels^3 + voxel.
  static constexpr int kCellBit = 14, kCellBits = 64 - kCellBit;
  static constexpr std::size_t kListWords = 4;  // vpeak, x, y, z

  void fill_grids(std::span<const std::uint64_t> halos, const Groups& groups, BoxSet& set) const;
  void fill_lists(std::span<const std::uint64_t> halos, const Groups& groups, BoxSet& set) const;
  std::vector<std::size_t> list_of(std::span<const std::uint64_t> halos,
                                   std::span<const std::int64_t> which) const;
  std::vector<float> neighbours_of(const Feature& feature, std::span<const std::uint64_t> halos,
                                   std::span<const std::size_t> list) const;
  std::int64_t fill_input(std::span<const std::uint64_t> halos, std::span<const std::int64_t> which,
                          std::int64_t box, std::span<float> input) const;
  void fill_parameters(std::int64_t box, std::span<float> input) const;
  void fill_labels(std::span<const std::uint64_t> halos, const Groups& groups, BoxSet& set) const;
  std::vector<std::vector<double>> feature_values(const Catalog& part) const;

  BoxSet set_;                                                  // options, bins, errors and names; no boxes
  std::vector<Feature> features_;                               // of the options
  std::vector<std::vector<double>> parameters_;                 // of the options: [parameter][cube]
  std::map<std::string, std::vector<double>> cube_parameters_;  // all, of every cube
  std::int64_t count_ = 0;
  std::uint64_t volume_ = 1;  // voxels of a sub-box
  bool has_masses_ = false;
};

}  // namespace umbra

// Sub-boxes: a catalog cut into cubes, each with a grid of mean halo properties (the network's input) and a
// stellar mass function (its label), as in Nadler & To (2018), section 3.2.
//
// Units. A label is the number of galaxies in a mass bin divided by the volume of the sub-box in (Mpc/h)^3;
// with per_dex it is divided by the bin width as well. sigma is the larger of the two errors of Moustakas et
// al. (2013) for that bin, in Mpc^-3 dex^-1 at h = 0.7, used as a number against the label exactly as the
// authors' code does; with per_dex it is converted to (Mpc/h)^-3 dex^-1 instead.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/boxes/split.h"
#include "data/catalogs/catalog.h"
#include "engine/base/philox.h"
#include "engine/base/setting.h"
#include "engine/io/dataset.h"

namespace umbra {

/// The side of the sub-boxes of Nadler & To (2018), Mpc/h.
inline constexpr double kUsualSubboxSize = 25;

/// What the input of a sub-box is.
enum class BoxInput {
  kVoxels,  ///< a grid of voxels with the mean properties of their halos
  kHalos    ///< the list of its halos
};

/// How a catalog is cut into sub-boxes.
struct BoxOptions {
  BoxInput input = BoxInput::kVoxels;     ///< of the sub-boxes
  double subbox_size = kUsualSubboxSize;  ///< Mpc/h; must divide the catalog's box size
  int voxels = 25;                        ///< per side of a sub-box
  double min_vpeak = 150.0;               ///< km/s: halos below this do not enter the input
  /// One input channel each (data/boxes/features.h), e.g. a column: its mean over a voxel.
  std::vector<std::string> features = {"vpeak"};
  /// a, b, c of every residual among `features`, in their order (fit_references()).
  std::vector<double> references = {};
  /// Expressions of the parameters of a cube (Catalog::box_parameters), one constant channel each, behind the
  /// features.
  std::vector<std::string> parameters = {};
  double smf_min = 10.2;   ///< log10 M*/Msun of the first bin's lower edge
  double smf_width = 0.1;  ///< dex
  int smf_bins = 14;       ///< number of mass bins
  bool per_dex = false;    ///< labels per dex instead of per bin

  /// The channels of a grid: features, then parameters.
  std::size_t channels() const { return features.size() + parameters.size(); }
  /// The numbers that a list of halos has once, in front of its halos: parameters, then log10(1 + number of halos).
  std::size_t list_numbers() const { return parameters.size() + 1; }
  /// The number of galaxies that phi = 1 means in a bin of a sub-box: its volume and, for labels per dex, the width of
  /// the bin.
  double galaxies_per_phi() const { return std::pow(subbox_size, 3) * (per_dex ? smf_width : 1.0); }
};

/// Sub-boxes with their inputs and labels.
struct BoxSet {
  BoxOptions options;      ///< they were made with
  std::int64_t count = 0;  ///< number of sub-boxes
  int per_side = 1;  ///< sub-boxes along one side of a periodic cube (1: each sub-box is itself periodic)
  /// kVoxels: [count, channels, V, V, V], x slowest; a feature is 0 where a voxel holds no halo. kHalos: the lists one
  /// after another, each with its BoxOptions::list_numbers() and then the features of halo after halo. Halos are in the
  /// order of falling vpeak; equal ones in that of their features.
  std::vector<float> input;
  std::vector<std::int64_t> list_begin;  ///< kHalos: [count + 1], the first number of each list in `input`
  /// kHalos: the mass bin of every halo's own galaxy in the order of `input`, or the number of bins for a galaxy that
  /// is in none of them; empty when the catalog has no stellar masses
  std::vector<std::int16_t> classes;
  std::vector<float> smf;           ///< [count, bins]; empty when the catalog has no stellar masses
  std::vector<float> sigma;         ///< [bins]
  std::vector<double> edges;        ///< [bins + 1], log10 M*/Msun
  std::vector<std::int64_t> box;    ///< [count]: cube * per_side^3 + (cx * per_side + cy) * per_side + cz
  std::vector<std::int64_t> halos;  ///< [count]: halos that entered the input
  /// Of the simulation of each sub-box, by name: [count] each. The number of its random seed is not among them.
  std::map<std::string, std::vector<double>> parameters;
  std::string smf_unit;  ///< of smf and sigma, e.g. "(Mpc/h)^-3 per bin"
  std::string source;    ///< Catalog::source, for the files made from it
  double h = 0;          ///< Cosmology::h of the catalog, for the files made from it

  /// The halos of the longest list, at least 1.
  std::int64_t longest_list() const;
  /// Sub-boxes of each simulated cube.
  std::int64_t per_cube() const { return std::int64_t{per_side} * per_side * per_side; }

  /// A galaxy with a mass in one of the bins, for the labels of shifted boxes.
  struct Galaxy {
    std::uint16_t voxel[3];  ///< x, y, z in its sub-box
    std::uint16_t bin;       ///< mass bin
  };
  std::vector<Galaxy> galaxies;            ///< grouped by sub-box
  std::vector<std::int64_t> galaxy_begin;  ///< [count + 1]: first galaxy of each sub-box
};

/// Whether sub-boxes with sides of `size` Mpc/h fill a cube of `box_size` Mpc/h exactly.
bool sub_boxes_fill(double box_size, double size);
/// The size of the sub-boxes of a catalog.
struct SubboxSize {
  double size;       ///< Mpc/h
  std::string note;  ///< for the user, if this is not the usual size although the user chose none
};
/// The size that the user wants or, for auto, 25 Mpc/h where that divides the box size, otherwise the divisor
/// nearest to 25 that gives at least 16 sub-boxes in all cubes together. `option` is what the user writes before
/// the number. Uses only the header of `catalog`, and throws Error, which begins with `where` and proposes a
/// size, if the wanted one does not divide the box size.
SubboxSize choose_subbox_size(const Catalog& catalog, const Auto<double>& wanted, const std::string& where,
                              const std::string& option);
/// Throws Error, which begins with `where` and proposes another size, if there is only one sub-box.
void require_several_sub_boxes(const Catalog& catalog, double size, const std::string& where,
                               const std::string& option);

/// BoxOptions::references, fitted to the halos above the cut in the sub-boxes `train` (fit_reference()). Empty
/// if no feature is a residual. Throws Error as make_boxes() does.
std::vector<double> fit_references(const Catalog& catalog, const BoxOptions& options,
                                   std::span<const std::int64_t> train);

/// Cuts the catalog. Throws Error when a column is missing, subbox_size does not divide the box size, an
/// option is out of range, or a feature of a halo is not finite.
BoxSet make_boxes(const Catalog& catalog, const BoxOptions& options);

/// The random transformations of training boxes.
struct Augmentation {
  bool symmetries = false;  ///< the 48 rotations and reflections of the cube
  bool shifts = false;      ///< periodic shifts by whole voxels
};

/// Some sub-boxes of a BoxSet, which must outlive it, as a Dataset. A shifted box may only touch boxes in
/// `indices`: where a cube is cut into sub-boxes, a shift is restricted to axes whose neighbours all belong
/// to `indices`, so that validation boxes never enter the training. The labels of shifted boxes are
/// recounted exactly.
class BoxDataset : public Dataset {
 public:
  /// Throws Error when an index does not exist.
  BoxDataset(const BoxSet& boxes, std::vector<std::int64_t> indices, Augmentation augmentation);
  std::int64_t size() const override;   ///< number of sub-boxes
  Shape input_shape() const override;   ///< [channels, V, V, V]
  Shape target_shape() const override;  ///< [bins]
  /// Reads sub-box `index` of `indices`, transformed at random when `augmentation` is not null. The target
  /// is NaN when the catalog has no stellar masses. Throws Error when a buffer has the wrong size.
  void read(std::int64_t index, const Rng* augmentation, std::span<float> input,
            std::span<float> target) const override;
  /// The inputs of all sub-boxes, for transformations on the device.
  const BoxArray* boxes() const override { return &array_; }
  /// The transformation that read() would apply to sample `index`; sets `target`.
  BoxWindow window(std::int64_t index, const Rng* augmentation, std::span<float> target) const override;
  /// The sub-boxes, by index into the BoxSet.
  std::span<const std::int64_t> indices() const;

 private:
  const BoxSet& boxes_;
  std::vector<std::int64_t> indices_;
  std::vector<char> member_;  // [boxes.count]: may a shifted box touch this sub-box?
  Augmentation augmentation_;
  BoxArray array_;
};

/// Added to the number of halos that a mean over a list is divided by, so that a few halos make no noisy mean.
inline constexpr float kListSoftening = 10;

/// Some sub-boxes of a BoxSet of lists (kHalos), which must outlive it, as a Dataset. A sample is a matrix with a row
/// per halo, which has
///
///   features | parameters, log10(1 + number of halos) | share, absent
///
/// share is 1 / (kListSoftening + number of halos) and absent is 0. The rows after the last halo are padding:
/// features and share are 0, absent is 1. A sample may be read with any number of rows from its own list's length
/// on. The target is phi per bin, then the class of every row (BoxSet::classes), -1 for padding and where it is
/// unknown, and a last -1, the class of what is not a halo of the list.
class HaloDataset : public Dataset {
 public:
  /// Throws Error when an index does not exist.
  HaloDataset(const BoxSet& boxes, std::vector<std::int64_t> indices);
  std::int64_t size() const override;                    ///< number of sub-boxes
  Shape input_shape() const override;                    ///< [rows of the longest list, columns]
  Shape target_shape() const override;                   ///< [bins + rows of the longest list + 1]
  std::int64_t rows(std::int64_t index) const override;  ///< halos of a list, at least 1
  /// Throws Error when the buffers are too small or do not have the same number of rows.
  void read(std::int64_t index, const Rng* augmentation, std::span<float> input,
            std::span<float> target) const override;

 private:
  const BoxSet& boxes_;
  std::vector<std::int64_t> indices_;
  std::int64_t longest_;                  // list of `boxes`, so that read() does not look for it
  std::vector<std::int64_t> halo_begin_;  // [boxes.count]: first halo of each list in boxes.classes
};
/// A BoxDataset or a HaloDataset, which is not augmented.
std::unique_ptr<Dataset> make_dataset(const BoxSet& boxes, std::vector<std::int64_t> indices,
                                      Augmentation augmentation);

}  // namespace umbra

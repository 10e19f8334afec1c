// Sub-boxes: a catalog cut into cubes, each with a grid of mean halo properties (the network's input) and a
// stellar mass function (its label), as in Nadler & To (2018), section 3.2.
//
// Units. A label is the number of galaxies in a mass bin divided by the volume of the sub-box in (Mpc/h)^3;
// with per_dex it is divided by the bin width as well. sigma is the larger of the two errors of Moustakas et
// al. (2013) for that bin, in Mpc^-3 dex^-1 at h = 0.7, used as a number against the label exactly as the
// authors' code does; with per_dex it is converted to (Mpc/h)^-3 dex^-1 instead.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/catalogs/catalog.h"
#include "engine/base/philox.h"
#include "engine/io/dataset.h"

namespace umbra {

struct BoxOptions {
  double subbox_size = 25.0;  // Mpc/h; must divide the catalog's box size
  int voxels = 25;            // per side of a sub-box
  double min_vpeak = 150.0;   // km/s: halos below do not enter the input
  std::vector<std::string> features = {
      "vpeak"};            // one input channel each: the mean of the column over a voxel
  double smf_min = 10.2;   // log10 M*/Msun of the first bin's lower edge
  double smf_width = 0.1;  // dex
  int smf_bins = 14;
  bool per_dex = false;
};

struct BoxSet {
  BoxOptions options;
  std::int64_t count = 0;  // number of sub-boxes
  int per_side = 1;        // sub-boxes along one side of a periodic cube (1: each sub-box is itself periodic)
  std::vector<float> input;         // [count, features, V, V, V], x slowest; 0 where a voxel holds no halo
  std::vector<float> smf;           // [count, bins]; empty when the catalog has no stellar masses
  std::vector<float> sigma;         // [bins]
  std::vector<double> edges;        // [bins + 1], log10 M*/Msun
  std::vector<std::int64_t> box;    // [count]: cube * per_side^3 + (cx * per_side + cy) * per_side + cz
  std::vector<std::int64_t> halos;  // [count]: halos that entered the input
  std::string smf_unit;
  std::string source;  // the catalog's, for the files made from it

  // Galaxies with a mass in one of the bins, grouped by sub-box, for labels of shifted boxes.
  struct Galaxy {
    std::uint16_t voxel[3];
    std::uint16_t bin;
  };
  std::vector<Galaxy> galaxies;
  std::vector<std::int64_t> galaxy_begin;  // [count + 1]
};

/// Cuts the catalog. Throws Error when a column is missing, the sizes do not divide, or the options are
/// impossible.
BoxSet make_boxes(const Catalog& catalog, const BoxOptions& options);

struct Split {
  std::vector<std::int64_t> train, validation;  // ascending indices into a BoxSet
};
/// A random split by sub-box, a function of (count, fraction, seed) alone. `fraction` is the training share.
Split split_boxes(std::int64_t count, double train_fraction, std::uint64_t seed);

/// Which random transformations of a training box are drawn.
struct Augmentation {
  bool symmetries = false;  // the 48 rotations and reflections of the cube
  bool shifts = false;      // periodic shifts by whole voxels
};

/// Some sub-boxes of a BoxSet (which must outlive it) as a Dataset. A shifted box may touch only boxes in
/// `indices`: where the parent volume is cut into sub-boxes, a drawn shift is restricted to axes whose
/// neighbours all belong to `indices`, so that validation boxes never enter. Labels of shifted boxes are
/// recounted exactly.
class BoxDataset : public Dataset {
 public:
  BoxDataset(const BoxSet& boxes, std::vector<std::int64_t> indices, Augmentation augmentation);
  std::int64_t size() const override;
  Shape input_shape() const override;   // [features, V, V, V]
  Shape target_shape() const override;  // [bins]
  void read(std::int64_t index, const Rng* augmentation, std::span<float> input,
            std::span<float> target) const override;
  const BoxArray* boxes() const override { return &array_; }
  BoxWindow window(std::int64_t index, const Rng* augmentation, std::span<float> target) const override;
  std::span<const std::int64_t> indices() const;

 private:
  const BoxSet& boxes_;
  std::vector<std::int64_t> indices_;
  std::vector<char> member_;  // [boxes.count]: may a shifted box touch this sub-box?
  Augmentation augmentation_;
  BoxArray array_;
};

}  // namespace umbra

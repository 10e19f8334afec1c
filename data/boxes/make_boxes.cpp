// Cutting a catalog into sub-boxes. Rows are first grouped by sub-box in their order (a counting sort), then
// every sub-box is filled by one thread in that order: sums do not depend on the number of threads.
#include <algorithm>
#include <cmath>
#include <set>

#include "data/boxes/boxes.h"
#include "data/boxes/label.h"
#include "data/observations/moustakas2013.h"
#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr int kMostVoxels = 4096, kMostBins = 4096;
constexpr double kMostInputs = 0x1p35;  // numbers in the input of all boxes; 128 GiB

void check(const Catalog& catalog, const BoxOptions& options) {
  require(options.voxels >= 1 && options.voxels <= kMostVoxels, "voxels per side must be from 1 to ",
          kMostVoxels, ", but the option is ", options.voxels);
  require(std::isfinite(options.min_vpeak) && options.min_vpeak >= 0,
          "min_vpeak must be a velocity in km/s, 0 or above, but it is ", options.min_vpeak);
  require(options.smf_bins >= 1 && options.smf_bins <= kMostBins, "smf_bins must be from 1 to ", kMostBins,
          ", but it is ", options.smf_bins);
  require(std::isfinite(options.smf_min) && options.smf_width > 0 && std::isfinite(options.smf_width),
          "the mass bins (smf_min ", options.smf_min, ", smf_width ", options.smf_width,
          " dex) are impossible");
  require(!options.features.empty(), "at least one feature column is needed as the network's input");
  const std::set<std::string> unique(options.features.begin(), options.features.end());
  require(unique.size() == options.features.size(), "a feature column is named twice");
  for (const std::string& feature : options.features) catalog.column(feature);
  catalog.column("vpeak");  // the cut needs it
  for (const auto& [name, values] : catalog.columns)
    require(static_cast<std::int64_t>(values.size()) == catalog.rows(), "the catalog's column '", name,
            "' has ", values.size(), " rows, ", catalog.rows(), " are expected");
}

int sub_boxes_per_side(const Catalog& catalog, const BoxOptions& options) {
  require(options.subbox_size > 0 && options.subbox_size <= catalog.box_size * (1 + 1e-9),
          "the sub-box size ", options.subbox_size, " Mpc/h must lie between 0 and the catalog's box size ",
          catalog.box_size, " Mpc/h");
  const double ratio = catalog.box_size / options.subbox_size;
  require(ratio < 1000, "sub-boxes of ", options.subbox_size, " Mpc/h are too small for a box of ",
          catalog.box_size, " Mpc/h");
  const double whole = std::round(ratio);
  require(std::abs(ratio - whole) < 1e-6 * whole, "the sub-box size ", options.subbox_size,
          " Mpc/h does not divide the catalog's box size ", catalog.box_size, " Mpc/h");
  return static_cast<int>(whole);
}

// Where one row of the catalog stands.
struct Place {
  std::int64_t box;
  std::uint16_t voxel[3];
};

class Grid {
 public:
  Grid(const Catalog& catalog, int per_side, int voxels)
      : x_{catalog.column("x"), catalog.column("y"), catalog.column("z")},
        per_side_(per_side),
        voxels_(voxels),
        scale_(per_side * voxels / catalog.box_size) {
    if (catalog.has("box")) cube_ = catalog.integer_column("box");
  }
  Place place(std::size_t row) const {
    const std::int64_t cells = std::int64_t{per_side_} * voxels_;
    Place place{cube_.empty() ? 0 : cube_[row], {}};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      // A position a rounding below the box size can scale to `cells` itself.
      const auto cell =
          std::clamp<std::int64_t>(static_cast<std::int64_t>(x_[axis][row] * scale_), 0, cells - 1);
      place.box = place.box * per_side_ + cell / voxels_;
      place.voxel[axis] = static_cast<std::uint16_t>(cell % voxels_);
    }
    return place;
  }

 private:
  std::span<const double> x_[3];
  std::span<const std::int64_t> cube_;
  int per_side_, voxels_;
  double scale_;
};

// The bin of a stellar mass, or -1.
int bin_of(double mass, std::span<const double> edges) {
  if (!(mass > 0)) return -1;
  const double log_mass = std::log10(mass);
  const auto above = std::upper_bound(edges.begin(), edges.end(), log_mass);
  return above == edges.begin() || above == edges.end() ? -1 : static_cast<int>(above - edges.begin()) - 1;
}

void set_bins(BoxSet& set) {
  const BoxOptions& options = set.options;
  for (int i = 0; i <= options.smf_bins; ++i) set.edges.push_back(options.smf_min + i * options.smf_width);
  const double mpc_per_h = kMoustakasH * kMoustakasH * kMoustakasH;  // 1 Mpc^-3 is 1 / h^3 (Mpc/h)^-3
  const auto table = moustakas2013_smf();
  for (int i = 0; i < options.smf_bins; ++i) {
    const double centre = options.smf_min + (i + 0.5) * options.smf_width;
    const ObservedSmfRow* row = moustakas2013_at(centre);
    require(row != nullptr && set.edges.front() > table.front().low - 1e-6 &&
                set.edges.back() < table.back().high + 1e-6,
            "the mass bins from ", set.edges.front(), " to ", set.edges.back(),
            " are not covered by the observed stellar mass function, which spans ", table.front().low, " to ",
            table.back().high, " in log10 M*/Msun");
    set.sigma.push_back(static_cast<float>(options.per_dex ? row->sigma() / mpc_per_h : row->sigma()));
  }
  set.smf_unit = options.per_dex ? "(Mpc/h)^-3 dex^-1" : "(Mpc/h)^-3 per bin";
}

// Rows of the catalog by sub-box, in their order: rows begin[b] to begin[b + 1] of `row` stand in sub-box b.
struct Groups {
  std::vector<std::int64_t> begin, row;
};

Groups group_rows(const Grid& grid, std::int64_t rows, std::int64_t boxes) {
  std::vector<std::int64_t> box(static_cast<std::size_t>(rows));
  parallel_chunks(rows, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      box[static_cast<std::size_t>(i)] = grid.place(static_cast<std::size_t>(i)).box;
  });
  Groups groups{std::vector<std::int64_t>(static_cast<std::size_t>(boxes) + 1, 0),
                std::vector<std::int64_t>(box.size())};
  for (const std::int64_t b : box) {
    require(b >= 0 && b < boxes, "the catalog's column 'box' names a cube that does not exist");
    ++groups.begin[static_cast<std::size_t>(b) + 1];
  }
  for (std::size_t b = 1; b < groups.begin.size(); ++b) groups.begin[b] += groups.begin[b - 1];
  std::vector<std::int64_t> next(groups.begin.begin(), groups.begin.end() - 1);
  for (std::size_t i = 0; i < box.size(); ++i)
    groups.row[static_cast<std::size_t>(next[static_cast<std::size_t>(box[i])]++)] =
        static_cast<std::int64_t>(i);
  return groups;
}

// The input of one sub-box: the mean of every feature over the halos in each voxel.
std::int64_t fill_input(const Catalog& catalog, const Grid& grid, const BoxOptions& options,
                        std::span<const std::int64_t> rows, std::span<float> input) {
  const auto v = static_cast<std::size_t>(options.voxels);
  const std::size_t volume = v * v * v;
  const auto vpeak = catalog.column("vpeak");
  std::vector<std::pair<std::size_t, std::size_t>> halos;  // (voxel, row) of every halo above the cut
  std::vector<std::int32_t> count(volume, 0);
  for (const std::int64_t r : rows) {
    const auto row = static_cast<std::size_t>(r);
    if (vpeak[row] < options.min_vpeak) continue;
    const Place place = grid.place(row);
    const std::size_t voxel = (place.voxel[0] * v + place.voxel[1]) * v + place.voxel[2];
    halos.emplace_back(voxel, row);
    ++count[voxel];
  }
  std::vector<double> sum(volume);
  for (std::size_t feature = 0; feature < options.features.size(); ++feature) {
    const auto values = catalog.column(options.features[feature]);
    std::fill(sum.begin(), sum.end(), 0.0);
    for (const auto& [voxel, row] : halos) sum[voxel] += values[row];
    for (std::size_t voxel = 0; voxel < volume; ++voxel)
      input[feature * volume + voxel] = count[voxel] ? static_cast<float>(sum[voxel] / count[voxel]) : 0.0f;
  }
  return static_cast<std::int64_t>(halos.size());
}

void fill_labels(const Catalog& catalog, const Grid& grid, const Groups& groups, BoxSet& set) {
  const auto mass = catalog.column("stellar_mass");
  const auto bins = static_cast<std::size_t>(set.options.smf_bins);
  set.smf.resize(static_cast<std::size_t>(set.count) * bins);
  set.galaxy_begin.push_back(0);
  for (std::size_t b = 0; b < static_cast<std::size_t>(set.count); ++b) {
    std::vector<std::int64_t> counts(bins, 0);
    for (std::int64_t i = groups.begin[b]; i < groups.begin[b + 1]; ++i) {
      const auto row = static_cast<std::size_t>(groups.row[static_cast<std::size_t>(i)]);
      const int bin = bin_of(mass[row], set.edges);
      if (bin < 0) continue;
      ++counts[static_cast<std::size_t>(bin)];
      const Place place = grid.place(row);
      set.galaxies.push_back(
          {{place.voxel[0], place.voxel[1], place.voxel[2]}, static_cast<std::uint16_t>(bin)});
    }
    for (std::size_t k = 0; k < bins; ++k) set.smf[b * bins + k] = smf_label(counts[k], set.options);
    set.galaxy_begin.push_back(static_cast<std::int64_t>(set.galaxies.size()));
  }
}

}  // namespace

BoxSet make_boxes(const Catalog& catalog, const BoxOptions& options) {
  check(catalog, options);
  BoxSet set;
  set.options = options;
  set.source = catalog.source;
  set.per_side = sub_boxes_per_side(catalog, options);
  set.count = catalog.boxes * set.per_side * set.per_side * set.per_side;
  set_bins(set);
  const double cube = std::pow(options.voxels, 3) * static_cast<double>(options.features.size());
  require(cube * static_cast<double>(set.count) <= kMostInputs, set.count, " sub-boxes of ", options.voxels,
          "^3 voxels with ", options.features.size(), " features do not fit into memory; take fewer voxels");

  const Grid grid(catalog, set.per_side, options.voxels);
  const Groups groups = group_rows(grid, catalog.rows(), set.count);
  const auto length = static_cast<std::size_t>(cube);
  set.input.resize(static_cast<std::size_t>(set.count) * length);
  set.halos.resize(static_cast<std::size_t>(set.count));
  set.box.resize(static_cast<std::size_t>(set.count));
  parallel_for(set.count, [&](std::int64_t index) {
    const auto b = static_cast<std::size_t>(index);
    const std::span<const std::int64_t> rows(groups.row.data() + groups.begin[b],
                                             groups.row.data() + groups.begin[b + 1]);
    set.box[b] = index;
    set.halos[b] = fill_input(catalog, grid, options, rows, std::span(set.input).subspan(b * length, length));
  });
  if (catalog.has("stellar_mass")) fill_labels(catalog, grid, groups, set);
  return set;
}

}  // namespace umbra

// See cut.h. Halos are grouped by sub-box in their order (a counting sort).
#include "data/boxes/cut.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <set>

#include "data/boxes/label.h"
#include "data/boxes/mass_bins.h"
#include "data/boxes/parameters.h"
#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr int kMostVoxels = 4096, kMostBins = 4096;
constexpr double kMostInputs = 0x1p35;  // numbers in the input of all boxes; 128 GiB
constexpr std::uint64_t kNothing = ~std::uint64_t{0}, kNowhere = kNothing - 1;  // rows that are not halos

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
  catalog.column("vpeak");  // throws if missing: the cut needs it
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
  require(sub_boxes_fill(catalog.box_size, options.subbox_size), "the sub-box size ", options.subbox_size,
          " Mpc/h does not divide the catalog's box size ", catalog.box_size, " Mpc/h");
  return static_cast<int>(std::round(ratio));
}

// The sub-boxes and voxels of the rows of a catalog.
class Grid {
 public:
  Grid(const Catalog& catalog, int per_side, int voxels)
      : x_{catalog.column("x"), catalog.column("y"), catalog.column("z")},
        per_side_(per_side),
        voxels_(voxels),
        scale_(per_side * voxels / catalog.box_size) {
    if (catalog.has("box")) cube_ = catalog.integer_column("box");
  }
  struct Place {
    std::int64_t box, voxel;
  };
  Place place(std::size_t row) const {
    const std::int64_t cells = std::int64_t{per_side_} * voxels_;
    Place place{cube_.empty() ? 0 : cube_[row], 0};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      // A position just below the box size can be rounded to `cells` itself.
      const auto cell =
          std::clamp<std::int64_t>(static_cast<std::int64_t>(x_[axis][row] * scale_), 0, cells - 1);
      place.box = place.box * per_side_ + cell / voxels_;
      place.voxel = place.voxel * voxels_ + cell % voxels_;
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

}  // namespace

BoxCutter::BoxCutter(const Catalog& catalog, const BoxOptions& options) {
  check(catalog, options);
  for (const std::string& feature : options.features) {
    features_.push_back(parse_feature(feature, concat("feature '", feature, "'")));
    check_columns_of(features_.back(), catalog);
    check_feature(features_.back(), options.input, concat("feature '", feature, "'"));
    require(
        features_.back().kind != Feature::Kind::kNeighbours || features_.back().radius < options.subbox_size,
        "feature '", feature, "': the radius must be less than the size of a sub-box, ", options.subbox_size,
        " Mpc/h");
  }
  for (const std::string& parameter : options.parameters)
    parameters_.push_back(parameter_values(parameter, catalog));
  set_.options = options;
  set_.source = catalog.source;
  set_.h = catalog.cosmology.h;
  cube_parameters_ = {catalog.box_parameters.begin(), catalog.box_parameters.end()};
  cube_parameters_.erase("seed");
  set_.per_side = sub_boxes_per_side(catalog, options);
  count_ = catalog.boxes * set_.per_side * set_.per_side * set_.per_side;
  volume_ = static_cast<std::uint64_t>(options.voxels) * static_cast<std::uint64_t>(options.voxels) *
            static_cast<std::uint64_t>(options.voxels);
  has_masses_ = catalog.has("stellar_mass");
  set_mass_bins(set_);
  require(static_cast<double>(count_) * static_cast<double>(volume_) < std::ldexp(1.0, kCellBits) / 2, count_,
          " sub-boxes of ", options.voxels, "^3 voxels are too many to be numbered; take fewer voxels");
}

void BoxCutter::check_memory(std::int64_t boxes) const {
  const std::size_t channels = set_.options.channels();
  require(static_cast<double>(volume_) * static_cast<double>(channels) * static_cast<double>(boxes) <=
              kMostInputs,
          boxes, " sub-boxes of ", set_.options.voxels, "^3 voxels with ", channels,
          " channels do not fit into memory; take fewer voxels");
}

void BoxCutter::cut(const Catalog& part, std::vector<std::uint64_t>& halos) const {
  const Grid grid(part, set_.per_side, set_.options.voxels);
  const auto vpeak = part.column("vpeak");
  std::span<const double> mass;
  if (has_masses_) mass = part.column("stellar_mass");
  std::vector<std::uint64_t> first(vpeak.size());  // [rows]
  parallel_chunks(part.rows(), 4096, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      const int bin = mass.empty() ? -1 : bin_of(mass[row], set_.edges);
      const bool entering = !(vpeak[row] < set_.options.min_vpeak);
      const Grid::Place place = grid.place(row);
      if (place.box < 0 || place.box >= count_) {
        first[row] = kNowhere;
      } else if (bin < 0 && !entering) {
        first[row] = kNothing;
      } else {
        first[row] =
            (static_cast<std::uint64_t>(place.box) * volume_ + static_cast<std::uint64_t>(place.voxel))
                << kCellBit |
            static_cast<std::uint64_t>(bin + 1) << 1 | (entering ? 1U : 0U);
      }
    }
  });
  const std::vector<std::vector<double>> features = feature_values(part);
  std::vector<std::span<const double>> list;
  if (set_.options.input == BoxInput::kHalos)
    list = {vpeak, part.column("x"), part.column("y"), part.column("z")};
  for (std::size_t row = 0; row < first.size(); ++row) {
    require(first[row] != kNowhere, "the catalog's column 'box' names a cube that does not exist");
    if (first[row] == kNothing) continue;
    halos.push_back(first[row]);
    for (std::size_t f = 0; f < features.size(); ++f) {
      const double value = features[f][row];
      if (enters(first[row]) && !std::isfinite(value))
        fail("feature '", set_.options.features[f], "' is ", value, " for a halo with ",
             halo_text(features_[f], part, row), "; a number is expected");
      halos.push_back(std::bit_cast<std::uint64_t>(value));
    }
    for (const std::span<const double> column : list)
      halos.push_back(std::bit_cast<std::uint64_t>(column[row]));
  }
}

std::vector<std::vector<double>> BoxCutter::feature_values(const Catalog& part) const {
  require(set_.options.references.size() == reference_numbers(features_), set_.options.references.size(),
          " numbers of reference relations, but ", reference_numbers(features_),
          " are expected: fit_references() fits them");
  std::span<const double> references = set_.options.references;
  std::vector<std::vector<double>> values;  // [feature][row]
  for (const Feature& feature : features_) {
    const bool relative = feature.kind == Feature::Kind::kResidual;
    values.push_back(halo_values(feature, part, references.first(relative ? kReferenceNumbers : 0)));
    if (relative) references = references.subspan(kReferenceNumbers);
  }
  return values;
}

void BoxCutter::fill_labels(std::span<const std::uint64_t> halos, const Groups& groups, BoxSet& set) const {
  const auto bins = static_cast<std::size_t>(set.options.smf_bins);
  const auto voxels = static_cast<std::uint64_t>(set.options.voxels);
  set.smf.resize(static_cast<std::size_t>(set.count) * bins);
  set.galaxy_begin.push_back(0);
  for (std::size_t b = 0; b < static_cast<std::size_t>(set.count); ++b) {
    std::vector<std::int64_t> counts(bins, 0);
    for (const std::int64_t halo : groups.of(b)) {
      const std::uint64_t word = halos[static_cast<std::size_t>(halo) * words()];
      const int bin = mass_bin(word);
      if (bin < 0) continue;
      ++counts[static_cast<std::size_t>(bin)];
      const std::uint64_t voxel = (word >> kCellBit) % volume_;
      set.galaxies.push_back(
          {{static_cast<std::uint16_t>(voxel / (voxels * voxels)),
            static_cast<std::uint16_t>(voxel / voxels % voxels), static_cast<std::uint16_t>(voxel % voxels)},
           static_cast<std::uint16_t>(bin)});
    }
    for (std::size_t k = 0; k < bins; ++k) set.smf[b * bins + k] = smf_label(counts[k], set.options);
    set.galaxy_begin.push_back(static_cast<std::int64_t>(set.galaxies.size()));
  }
}

BoxCutter::Groups BoxCutter::grouped(std::int64_t first, std::int64_t count,
                                     std::span<const std::uint64_t> halos) const {
  const std::size_t all = halos.size() / words();
  Groups groups{first, std::vector<std::int64_t>(static_cast<std::size_t>(count) + 1, 0),
                std::vector<std::int64_t>(all)};
  const auto local = [&](std::size_t halo) {
    return static_cast<std::size_t>(box_of(halos[halo * words()]) - first);
  };
  for (std::size_t halo = 0; halo < all; ++halo) ++groups.begin[local(halo) + 1];
  for (std::size_t b = 1; b < groups.begin.size(); ++b) groups.begin[b] += groups.begin[b - 1];
  std::vector<std::int64_t> next(groups.begin.begin(), groups.begin.end() - 1);
  for (std::size_t halo = 0; halo < all; ++halo)
    groups.order[static_cast<std::size_t>(next[local(halo)]++)] = static_cast<std::int64_t>(halo);
  return groups;
}

BoxSet BoxCutter::build(std::int64_t first, std::int64_t count, std::span<const std::uint64_t> halos) const {
  const Groups groups = grouped(first, count, halos);
  BoxSet set = set_;
  set.count = count;
  set.halos.resize(static_cast<std::size_t>(count));
  set.box.resize(static_cast<std::size_t>(count));
  std::iota(set.box.begin(), set.box.end(), first);
  set.options.input == BoxInput::kHalos ? fill_lists(halos, groups, set) : fill_grids(halos, groups, set);
  for (const auto& [name, of_cube] : cube_parameters_) {
    std::vector<double>& of_box = set.parameters[name];
    for (const std::int64_t box : set.box)
      of_box.push_back(of_cube[static_cast<std::size_t>(box / set.per_cube())]);
  }
  if (has_masses_) fill_labels(halos, groups, set);
  return set;
}

BoxSet make_boxes(const Catalog& catalog, const BoxOptions& options) {
  const BoxCutter cutter(catalog, options);
  if (options.input == BoxInput::kVoxels) cutter.check_memory(cutter.count());
  std::vector<std::uint64_t> halos;
  cutter.cut(catalog, halos);
  return cutter.build(0, cutter.count(), halos);
}

}  // namespace umbra

// The table that a forest learns from: one row per halo with a galaxy, the halo's properties as columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "data/catalogs/catalog.h"
#include "models/forest/forest.h"

namespace umbra {

/// The eight columns of Nadler & To (2018), section 3.1. `is_satellite` is upid != -1; `upid` itself, which
/// their script used, can be selected by name.
inline const std::vector<std::string> kPaperFeatures = {"vpeak", "vacc", "mpeak",          "macc",
                                                        "mvir",  "spin", "halfmass_scale", "is_satellite"};

/// What the forest learns: log10 of the stellar mass in Msun, or the mass itself (as in the authors' script).
enum class ForestTarget { kLog10, kLinear };
ForestTarget forest_target(const std::string& name);  // log10 or linear; throws Error
std::string name_of(ForestTarget target);

struct ForestHalos {
  std::vector<std::string> features;
  std::vector<std::vector<float>> columns;  // [feature][row]
  std::vector<double> log_mass;     // [row]: log10 M*/Msun, NaN without a galaxy; empty if the catalog has no
                                    // stellar masses
  std::vector<std::int64_t> box;    // [row]: sub-box, numbered as BoxSet::box
  std::vector<std::int64_t> row;    // [row]: its row in the catalog
  std::int64_t boxes = 0;           // sub-boxes of the catalog
  std::int64_t per_cube = 1;        // sub-boxes of each of its cubes
  std::int64_t without_galaxy = 0;  // halos of the catalog above the cut that have no galaxy

  std::int64_t rows() const { return static_cast<std::int64_t>(row.size()); }
  ForestTable table() const;                          // refers to this object
  std::vector<double> target(ForestTarget of) const;  // [row]
};

/// Which halos: those with a galaxy, if the catalog has stellar masses, or all. A stellar mass of 0 means that
/// the halo has no galaxy, or none that its simulation resolves. It is not an observation of a mass: no tree
/// is grown on such a halo, and no predicted mass is scored on it.
enum class HaloChoice { kGalaxies, kAll };

/// The rows with vpeak >= min_vpeak and, if the catalog has stellar masses, a positive one (kAll: any). With
/// empty `features` the paper's columns that the catalog has are used (at least one); otherwise a missing
/// column throws an Error that names it. Throws Error if no row is left.
ForestHalos forest_halos(const Catalog& catalog, const std::vector<std::string>& features, double min_vpeak,
                         double subbox_size, HaloChoice choice = HaloChoice::kGalaxies);

/// The rows whose `mask` [row] is not 0.
ForestHalos chosen_rows(const ForestHalos& halos, const std::vector<std::uint8_t>& mask);

/// Which halos a forest is fitted on. kBoxes: those of split_boxes(), so that the network with the same rule
/// leaves out the same sub-boxes. kHalos: individual halos by the rule's fraction and seed, as in the authors'
/// script; the halos of one group are then in both parts.
struct ForestSplit {
  enum class By { kBoxes, kHalos };
  By by = By::kBoxes;
  SplitRule rule;  // train_fraction above 0; 1: all
};
ForestSplit::By forest_split(const std::string& name);  // boxes or halos; throws Error
std::string name_of(ForestSplit::By by);

/// [row]: 1 for rows to train on, 0 for the others and for rows without a galaxy. The result is the same for
/// halos chosen with either HaloChoice. Throws Error if the catalog has no stellar masses or no row is left
/// to train on.
std::vector<std::uint8_t> training_rows(const ForestHalos& halos, const ForestSplit& split);

/// [row]: the fold of a cross-validation inside the training sub-boxes in which a row is held out, or -1 where it is not
/// trained on. The folds are those of data.inner_folds (data/boxes/split.h) for the rule of `split`; of a split by halos
/// all sub-boxes are divided. Throws Error when there are fewer training sub-boxes than folds.
std::vector<int> inner_folds_of_rows(const ForestHalos& halos, const std::vector<std::uint8_t>& training,
                                     const ForestSplit& split, int folds);

/// A hash of the features and masses of the training rows, by which a forest recognises the data it was
/// fitted on. Two halves of 32 bits.
std::vector<double> forest_fingerprint(const ForestHalos& halos, const std::vector<std::uint8_t>& training);

/// Predictions of a forest as log10 M*/Msun; for the linear target, log10 of the mean mass.
std::vector<double> as_log_mass(std::vector<double> prediction, ForestTarget target);

}  // namespace umbra

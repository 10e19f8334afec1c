// A catalog as a forest sees it: one row per halo that has a galaxy, its properties as columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/boxes/boxes.h"
#include "data/catalogs/catalog.h"
#include "models/forest/forest.h"

namespace umbra {

/// The eight columns of Nadler & To (2018), section 3.1. `is_satellite` is upid != -1; `upid` itself, as
/// their script used it, may be asked for by name.
inline const std::vector<std::string> kPaperFeatures = {"vpeak", "vacc", "mpeak",          "macc",
                                                        "mvir",  "spin", "halfmass_scale", "is_satellite"};

/// What the forest learns: log10 of the stellar mass in Msun, or the mass itself (as the authors' script
/// did).
enum class ForestTarget { kLog10, kLinear };
ForestTarget forest_target(const std::string& name);  // log10 or linear; throws Error
std::string name_of(ForestTarget target);

struct ForestHalos {
  std::vector<std::string> features;
  std::vector<std::vector<float>> columns;  // [feature][row]
  std::vector<double> log_mass;   // [row]: log10 M*/Msun, NaN without a galaxy; empty where the catalog has
                                  // no stellar masses
  std::vector<std::int64_t> box;  // [row]: sub-box, numbered as BoxSet::box
  std::vector<std::int64_t> row;  // [row]: where it stands in the catalog
  std::int64_t boxes = 0;         // sub-boxes of the catalog

  std::int64_t rows() const { return static_cast<std::int64_t>(row.size()); }
  ForestTable table() const;                          // views of this
  std::vector<double> target(ForestTarget of) const;  // [row]
};

/// Which halos: of what stands in the catalog, or of those that have a galaxy if the catalog says so.
enum class HaloChoice { kGalaxies, kAll };

/// The rows with vpeak >= min_vpeak and, where the catalog has stellar masses, a positive one (kAll: any).
/// Features the catalog lacks: with `features` empty the paper's columns that are there are taken (at least
/// one), otherwise Error names the missing one. Throws Error when no row is left.
ForestHalos forest_halos(const Catalog& catalog, const std::vector<std::string>& features, double min_vpeak,
                         double subbox_size, HaloChoice choice = HaloChoice::kGalaxies);

/// The rows whose `mask` [row] is not 0.
ForestHalos chosen_rows(const ForestHalos& halos, const std::vector<std::uint8_t>& mask);

/// Which halos a forest is fitted on. kBoxes: those of split_boxes(), so that the network with the same seed
/// and fraction leaves out the same sub-boxes. kHalos: any halos, as the authors' script did; halos of one
/// group then stand on both sides.
struct ForestSplit {
  enum class By { kBoxes, kHalos };
  By by = By::kBoxes;
  double train_fraction = 0.8;  // above 0; 1: everything
  std::uint64_t seed = 1;
};
ForestSplit::By forest_split(const std::string& name);  // boxes or halos; throws Error
std::string name_of(ForestSplit::By by);

/// [row]: 1 for rows to train on, 0 for the others and for rows without a galaxy. The same for halos chosen
/// either way. Throws Error when the catalog has no stellar masses or nothing would be left to train on.
std::vector<std::uint8_t> training_rows(const ForestHalos& halos, const ForestSplit& split);

/// A number that differs when the features or masses of the training rows do: whether a forest was fitted on
/// them. Two halves of 32 bits.
std::vector<double> forest_fingerprint(const ForestHalos& halos, const std::vector<std::uint8_t>& training);

/// Predictions of a forest as log10 M*/Msun: of the linear target, log10 of the mean mass.
std::vector<double> as_log_mass(std::vector<double> prediction, ForestTarget target);

}  // namespace umbra

// A fitted forest on disk. Group /trees contains flat arrays over all nodes (feature, left, threshold, value,
// gain, weight, rows, missing_left) and `begin` [trees + 1]; the root's attributes contain options, columns,
// target, the training data's origin, and umbra_version. All input is checked before it is used.
#pragma once

#include <filesystem>

#include "tools/common/forest_data.h"

namespace umbra {

inline constexpr std::int64_t kMostTrees = 1 << 16;  // sums over trees support no more

struct ForestModel {
  Forest forest;
  ForestTarget target = ForestTarget::kLog10;
  double min_vpeak = 150;                    // km/s; halos below it were left out
  double subbox_size = 25;                   // Mpc/h
  ForestSplit split;                         // which halos it was fitted on
  std::string source;                        // of the catalog
  std::int64_t boxes = 0;                    // sub-boxes of the catalog
  std::vector<std::int64_t> training_boxes;  // sub-boxes with rows in the training set, ascending
  std::vector<double> fingerprint;           // forest_fingerprint() of the training data
};

/// Writes a temporary file and renames it into place.
void write_forest(const std::filesystem::path& path, const ForestModel& model);
/// Throws Error if the file is missing, damaged (bounds, cycles, NaN thresholds) or of another version.
ForestModel read_forest(const std::filesystem::path& path);

/// Inverses of name_of(); throw Error for an unknown name.
ForestOptions::Search forest_search(const std::string& name);
ForestOptions::Bootstrap forest_bootstrap(const std::string& name);

/// The halos of a catalog, with the features and cuts of the model.
ForestHalos halos_for(const ForestModel& model, const Catalog& catalog,
                      HaloChoice choice = HaloChoice::kGalaxies);
/// The rows that the model was fitted on, in the form of training_rows(); empty if the model was not fitted
/// on these halos (or they have no masses).
std::vector<std::uint8_t> rows_seen(const ForestModel& model, const ForestHalos& halos);

}  // namespace umbra

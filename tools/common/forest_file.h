// A fitted forest on disk. Group /trees holds flat arrays over all nodes (feature, left, threshold, value,
// gain, weight, rows, missing_left) and `begin` [trees + 1]; the root's attributes hold options, columns,
// what was learnt from which data, and umbra_version. Nothing in a file is believed before it is checked.
#pragma once

#include <filesystem>

#include "tools/common/forest_data.h"

namespace umbra {

inline constexpr std::int64_t kMostTrees = 1 << 16;  // sums over trees are made for no more

struct ForestModel {
  Forest forest;
  ForestTarget target = ForestTarget::kLog10;
  double min_vpeak = 150;                    // km/s: halos below were left out
  double subbox_size = 25;                   // Mpc/h
  ForestSplit split;                         // which halos it was fitted on
  std::string source;                        // of the catalog
  std::int64_t boxes = 0;                    // sub-boxes of the catalog
  std::vector<std::int64_t> training_boxes;  // sub-boxes with rows in the training set, ascending
  std::vector<double> fingerprint;           // forest_fingerprint() of what it was fitted on
};

/// Writes aside and renames into place.
void write_forest(const std::filesystem::path& path, const ForestModel& model);
/// Throws Error with a sentence for a file that is missing, damaged or of another version: bounds, cycles,
/// NaN thresholds.
ForestModel read_forest(const std::filesystem::path& path);

/// By the names that name_of() gives; throw Error.
ForestOptions::Search forest_search(const std::string& name);
ForestOptions::Bootstrap forest_bootstrap(const std::string& name);

/// The halos of a catalog as the model saw them, with its features and cuts.
ForestHalos halos_for(const ForestModel& model, const Catalog& catalog,
                      HaloChoice choice = HaloChoice::kGalaxies);
/// The rows that the model was fitted on, [row] as training_rows(); empty when these halos are not those it
/// was fitted on (or have no masses).
std::vector<std::uint8_t> rows_seen(const ForestModel& model, const ForestHalos& halos);

}  // namespace umbra

// The random forest in the table of the CAMELS boxes: a baseline with mass functions computed in three ways
// (tools/evaluate/forest_smf.h). It sees what a forest sees by default: columns of single halos, no parameters of a box.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/reproduce/camels.h"

namespace umbra {

/// For every fold a search for settings inside its training boxes, which the inner folds of data/boxes divide, and one
/// forest with the best of them for each seed. `data` is the catalog.
std::vector<Part> camels_forest_parts(const CamelsTableOptions& options, const Places& places,
                                      const std::string& data);
/// The forests of a fold: "OUT/forests/fold-0/seed-1.h5" and so on. [seeds]
std::vector<std::string> camels_forests(const CamelsTableOptions& options, const Places& places,
                                        std::int64_t fold);

/// A row of camels.json for each of the three ways, from the models in a pooled result of evaluate: both chi^2 averaged
/// over the seeds box by box, with their scatter; the difference from `reference`, a row of that result; what the search
/// `chosen`; and `seconds` of a search and a fit, as programs.
/// Throws Error naming the file if the result of a search or the record of a part is missing.
std::vector<nlohmann::ordered_json> camels_forest_rows(const CamelsTableOptions& options,
                                                       const Places& places,
                                                       const nlohmann::ordered_json& models,
                                                       const nlohmann::ordered_json& reference);

}  // namespace umbra

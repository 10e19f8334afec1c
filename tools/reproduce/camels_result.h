// The result of reproduce --camels, as it is committed in bench/results/camels.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/reproduce/camels.h"

namespace umbra {

/// What the table is made of: version, machine, boxes, and `rows`: the baselines of evaluate, the forest's three
/// (camels_forest_rows()), then the rows of camels_rows(), each with both chi^2 over all boxes (mean, standard error,
/// median, mean of every fold), the difference from its control box by box, which of a baseline is the best of them, and
/// `seconds` on average over trainings; of a network or a forest also `command`, that of fold 0, and what was chosen in
/// each fold. With several seeds chi^2 is averaged over them box by box, with their
/// scatter, and `mean_prediction` has the scores of the mean of their predictions.
/// Reads the pooled evaluation and the metrics of the runs. Throws Error if one is missing.
nlohmann::ordered_json camels_result(const CamelsTableOptions& options, const Places& places,
                                     const CamelsChoices& choices, const std::vector<Part>& parts);

}  // namespace umbra

// Statistics of scores, one per box.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

namespace umbra {

/// {mean, standard_error, standard_deviation, median} of numbers, one per box.
nlohmann::ordered_json mean_and_error(const std::vector<double>& values);

}  // namespace umbra

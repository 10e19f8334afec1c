// Statistics of scores, one per box.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

namespace umbra {

/// {mean, standard_error, standard_deviation, median} of numbers, one per box.
nlohmann::ordered_json mean_and_error(const std::vector<double>& values);

/// a - b, box by box. Throws Error unless both have as many boxes.
std::vector<double> paired_differences(std::vector<double> a, const std::vector<double>& b);

}  // namespace umbra

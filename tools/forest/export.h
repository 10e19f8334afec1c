// Export of forests for other programs.
#pragma once

#include <string>

#include "models/forest/forest.h"

namespace umbra {

inline constexpr std::int64_t kMostJsonNodes = 100'000;
inline constexpr int kMostJsonLevels = 500;  // programs read nested JSON recursively

/// Human-readable trees: nested nodes in scikit-learn's terms. feature, threshold (rows with value <=
/// threshold go left; "infinity": all except missing values), missing_go_to_left, impurity_decrease (of the
/// whole tree's variance), value, n_node_samples, weighted_n_node_samples, left, right. Throws Error for
/// forests too large to be read.
std::string forest_json(const Forest& forest, const std::string& target);

/// A model file of LightGBM, version 4 (format v4, src/io/gbdt_model_text.cpp and src/io/tree.cpp there):
/// loaded by lightgbm.Booster(model_file=...), it predicts the same as umbra, the target of the fit. Infinite
/// thresholds are written as the largest number.
std::string forest_lightgbm(const Forest& forest);

}  // namespace umbra

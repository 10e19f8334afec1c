// The importance of each column for a forest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

/// The importance of columns or groups of columns.
struct Importance {
  std::vector<double> mean;            ///< [columns or groups]
  std::vector<double> standard_error;  ///< [columns or groups]: of the mean, from the scatter between trees
};

/// The mean decrease of variance ("impurity"; Breiman et al. 1984) by the splits on each column, normalised
/// as in scikit-learn: it sums to 1 for each tree and for the mean. It favours columns with many different
/// values, even pure noise.
Importance decrease_of_variance(const Forest& forest);

/// The decrease of variance measured on rows the trees did not see (Li et al. 2019, "MDI-oob"): 0 on
/// average for noise. It is relative to the variance of the target and sums to about the out-of-bag R^2.
/// `data`: the data the forest was fitted on. Throws Error when no tree left a row out.
Importance unbiased_decrease(const Forest& forest, const ForestData& data, const StageReport& progress = {});

/// The growth of the squared error on the rows a tree did not see when a group of columns is permuted
/// together among these rows (Breiman 2001), relative to the variance of the target. Nearly equal columns
/// share their importance unless they are in one group. Throws Error for a column that does not exist and
/// when no tree left a row out.
Importance permutation(const Forest& forest, const ForestData& data,
                       const std::vector<std::vector<int>>& groups, const StageReport& progress = {});

/// The groups {0}, {1}, …: one per column.
std::vector<std::vector<int>> single_columns(const Forest& forest);

}  // namespace umbra

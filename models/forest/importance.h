// How much each column matters to a forest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/forest/forest.h"

namespace umbra {

struct Importance {
  std::vector<double> mean;            // [columns or groups]
  std::vector<double> standard_error;  // [columns or groups], of the mean, from the scatter between trees
};

/// Mean decrease of variance ("impurity"; Breiman et al. 1984) by the splits on each column, scikit-learn's
/// normalisation: each tree's sum is 1, so is the mean's. Columns with many different values are favoured,
/// even those of pure noise.
Importance decrease_of_variance(const Forest& forest);

/// The same, measured on rows the trees did not see (Li et al. 2019, "MDI-oob"): 0 on average for noise.
/// Relative to the variance of the target: sums to about the out-of-bag R^2. `data` is what the forest was
/// fitted on.
Importance unbiased_decrease(const Forest& forest, const ForestData& data);

/// Growth of the squared error on rows a tree did not see when a group of columns is permuted together among
/// them (Breiman 2001), relative to the variance of the target. Near copies share their credit unless they
/// are in one group.
Importance permutation(const Forest& forest, const ForestData& data,
                       const std::vector<std::vector<int>>& groups);

/// A group for each column.
std::vector<std::vector<int>> single_columns(const Forest& forest);

}  // namespace umbra

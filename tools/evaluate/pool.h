// evaluate --pool: the results of evaluate on the folds of a cross-validation as one result over all boxes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace umbra {

/// What evaluate wrote for one fold.
struct FoldResult {
  std::string file;
  nlohmann::ordered_json content;
};

/// Reads a result of evaluate on a catalog. Throws Error naming the file and what is missing.
FoldResult read_fold_result(const std::string& file);

/// Joins the results of all folds: `validation`, every box once, ascending, and rows joined by their name, in which the
/// number after "fold" does not count ("net (fold-1)" and "net (fold-2)" are "net (fold-*)"). Of every row both chi^2 over
/// all boxes: mean, standard error, median, `of_box`, and `of_fold`, their means. `seconds` are sums over the folds.
/// The row of an ensemble is that of its mean prediction; its `seeds` have, per box, the mean of the members' chi^2,
/// and, of each member, the mean over the boxes (`of_seed`) and their `scatter`.
/// Throws Error with the files' names when a box is in two folds or in none, when a row is missing in a fold or has
/// another number of members there, or when the folds are of different boxes, bins or epochs.
nlohmann::ordered_json pooled(const std::vector<FoldResult>& folds);

}  // namespace umbra

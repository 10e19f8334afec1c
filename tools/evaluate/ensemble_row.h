// The row of an ensemble in the result: the scores of the mean prediction, with the scores of the members, their mean
// and their scatter.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace umbra {

/// Adds `members` to the scores of their mean prediction, and `seeds`: `name`, their number and, of every score in
/// `scores` (an object with a `mean`), the mean and the scatter over the members (the standard deviation, with
/// count - 1).
void add_members(nlohmann::ordered_json& row, const std::string& name, const nlohmann::ordered_json& members,
                 const std::vector<std::string>& scores);

/// The explanation of +- under a table with such rows; empty if `result` has none.
std::string explained_scatter(const nlohmann::ordered_json& result);

}  // namespace umbra

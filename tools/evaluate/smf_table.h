// The table of evaluate for mass functions: chi^2 of every model, and its difference, box by box, from a reference.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace umbra {

/// Adds to the result of evaluate `best_baseline`, the baseline with the lowest mean chi^2; `reference`, the name of the
/// model that `wanted` names (a name or the folder of a run; empty: the best baseline); and to every model but the
/// reference `minus_reference`: mean, standard error and median over the validation boxes of the difference of both
/// chi^2. Where the values of single boxes are known for the seeds of an ensemble (tools/evaluate/pool.h),
/// `seeds` gets its own, and models that are not a mean prediction are compared with the average of the reference's seeds. Throws Error with the names that exist if `wanted` is none of them.
void add_differences(nlohmann::ordered_json& result, const std::string& wanted);

/// The table, and a line for every network that the best baseline beats.
std::string smf_table(const nlohmann::ordered_json& result);

}  // namespace umbra

// A choice between settings of a row: a network for each is trained without some of the training boxes, and evaluate
// scores it on these. No box that the row itself is scored on takes part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace umbra {

constexpr std::int64_t kInnerFolds = 5;  ///< parts of the training boxes; one of them scores the choices

/// The words of `text` between `separator`s, which may be repeated.
std::vector<std::string> words_between(const std::string& text, char separator);

/// The chi^2 (mean over boxes) of the networks in `file`, the result of evaluate, in the order in which it was called.
/// Throws Error if there are not `count`, the number of choices that `row` has.
std::vector<double> chi2_of_choices(const std::string& file, std::size_t count, const std::string& row);

/// The choice with the lowest chi^2. `choices` and `chi2` have one length, at least 1.
std::string best_choice(const std::vector<std::string>& choices, const std::vector<double>& chi2);

}  // namespace umbra

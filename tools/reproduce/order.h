// Whether the order of the paper's Table 1 comes out, and what beats what: sentences made from the numbers.
#pragma once

#include <string>
#include <vector>

#include "tools/reproduce/results.h"

namespace umbra {

/// How a difference compares with its error: beyond two standard errors it is one.
enum class Judgement { kHigher, kLower, kUndecided };
Judgement judgement_of(const Difference& difference);

/// A step of the order: `worse` has the higher chi^2 in the paper.
struct OrderStep {
  const ResultRow *worse, *better;
  Difference difference;  ///< worse - better
  bool may_be_equal;      ///< the last step: 93 and 84, "begins to plateau"
  bool comes_out() const;
};
/// RF(mean prediction) > ResNet 20 > ResNet 100 >= ResNet 200 for the networks of a recipe, as far as they are there.
std::vector<OrderStep> order_of(const Results& results, const std::string& recipe);

/// The order of a recipe: a sentence for each step, and whether the whole order comes out.
std::string order_text(const Results& results, const std::string& recipe, const std::string& called);

/// The best network, baseline and forest and the oracles as a table, and who beats whom.
std::string first_table(const Results& results);

/// "12.3 ± 0.4" with as many digits as the error has two of; "(9.8 ± 1.8)·10¹²" from 1e5 on.
std::string with_error(double value, double error);
/// "12.34" with so many significant digits, and whole numbers of more without an exponent; "7.4·10¹²" from 1e5 on.
std::string number_text(double value, int digits);

}  // namespace umbra

// What a catalog, or a table that could become one, lacks for training.
#pragma once

#include <string>
#include <vector>

#include "tools/info/columns.h"

namespace umbra {

/// What is wrong and what is missing.
struct Verdict {
  std::vector<std::string> lines;    ///< one for each problem
  std::vector<std::string> missing;  ///< of x, y, z and vpeak
  bool has_masses = false,           ///< there are stellar masses to train on
      has_bad_values = false,        ///< in columns that are needed
      has_logarithms = false;        ///< of masses
};

/// The verdict on the columns of a survey. `action`: what happens to a column with bad values that is not needed.
Verdict verdict_on(const Survey& survey, const std::string& action);

/// "all 20000 rows" or "the first 50000 rows".
std::string extent_of(const Survey& survey);

}  // namespace umbra

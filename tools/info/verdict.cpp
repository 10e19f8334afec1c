#include "tools/info/verdict.h"

#include "engine/base/error.h"
#include "engine/base/listed.h"

namespace umbra {

std::string extent_of(const Survey& survey) {
  return survey.is_complete ? concat("all ", survey.rows, " rows")
                            : concat("the first ", survey.rows, " rows");
}

Verdict verdict_on(const Survey& survey, const std::string& action) {
  Verdict verdict;
  std::vector<std::string> bad, bad_and_needed, logarithms;
  for (const ColumnFacts& column : survey.columns) {
    if (!column.is_read) continue;
    const bool needed = column.name == "x" || column.name == "y" || column.name == "z" ||
                        column.name == "vpeak" || column.name == "stellar_mass";
    if (column.bad > 0) (needed ? bad_and_needed : bad).push_back(column.name);
    if (column.is_logarithm) logarithms.push_back(column.name);
  }
  for (const char* needed : {"x", "y", "z", "vpeak"})
    if (survey.find(needed) == nullptr) verdict.missing.emplace_back(needed);
  verdict.has_masses = survey.find("stellar_mass") != nullptr;
  verdict.has_bad_values = !bad_and_needed.empty();
  verdict.has_logarithms = !logarithms.empty();
  if (!verdict.missing.empty())
    verdict.lines.push_back(
        concat("no ", listed(verdict.missing), ": neither training nor prediction is possible"));
  else if (!verdict.has_masses)
    verdict.lines.emplace_back("no stellar_mass: it can be predicted on, not trained on");
  if (verdict.has_logarithms)
    verdict.lines.push_back(concat("logarithms of masses where masses are expected: ", listed(logarithms)));
  if (!bad.empty()) verdict.lines.push_back(concat("bad values in ", listed(bad), ": ", action));
  if (!bad_and_needed.empty())
    verdict.lines.push_back(
        concat("bad values in ", listed(bad_and_needed), ": --skip-bad-rows of import leaves out such rows"));
  return verdict;
}

}  // namespace umbra

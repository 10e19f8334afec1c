// The labels of a table as classes: numbers in their order or texts in alphabetical order, or the classes of a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/images/csv.h"

namespace umbra {

/// The classes of a run that exists.
struct RunClasses {
  std::int64_t count = 0;                  ///< 0: there is no run, or it has no classes
  std::vector<std::string> names = {};     ///< [count], or none
  std::vector<std::int64_t> numbers = {};  ///< [count]: what its table called them; none: texts, or not known
};

/// The column of a table that has the labels, and the rows to read.
struct LabelColumn {
  const TextTableRows& table;            ///< after read()
  const std::vector<std::size_t>& rows;  ///< of the table
  std::size_t labels = 0;                ///< the column
  std::optional<std::size_t> names;      ///< the column that may have the names of labels that are numbers
  bool needs_names = false;              ///< whether `names` must have one name for every number
};

/// The labels of all rows.
struct ClassLabels {
  std::vector<std::int64_t> labels;  ///< [rows], from 0; -1: the row has none
  std::int64_t count = 0;            ///< of classes
  std::vector<std::string> names;    ///< [count], or none if the labels are counted from 0
  std::vector<std::int64_t>
      numbers;              ///< [count]: the numbers of classes with names, or none if they are texts
  bool used_names = false;  ///< whether the names are those of LabelColumn::names
};

/// Whether a text is no label: it is empty or, between numbers, a word such as "NA" or "nan".
bool is_no_label(std::string_view text, bool numbers);
/// The classes that a column has. Throws Error with file, line and column if these are not classes.
ClassLabels find_classes(const LabelColumn& column);
/// The labels of a column as classes of a run. Numbers are taken for classes only if the run has them from a table with
/// such numbers. Throws Error with file and line for a label that is not one of the run's.
ClassLabels classes_of_run(const LabelColumn& column, const RunClasses& run);

}  // namespace umbra

#include "data/images/class_labels.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/tables/text_fields.h"
#include "engine/base/error.h"
#include "engine/base/listed.h"

namespace umbra {
namespace {

constexpr std::size_t kManyClasses = 100;  // more labels than this and than half of the rows are refused

using Names = std::map<std::int64_t, std::string>;

// The labels of a column, without regard to classes.
struct Labels {
  std::vector<std::string> texts;     // [rows]; "": none
  std::vector<std::int64_t> numbers;  // [rows] if all labels are integers
  std::set<std::string> distinct;     // without ""
  std::set<std::int64_t> distinct_numbers;
  bool integers = true;
};

std::string column_text(const LabelColumn& column) {
  return concat(column.table.file(), ": column ", column.table.names()[column.labels]);
}

Labels labels_in(const LabelColumn& column) {
  Labels labels;
  std::int64_t number = 0;
  bool has_integer = false;
  for (const std::size_t row : column.rows) {
    const std::string& text = labels.texts.emplace_back(column.table.at(row, column.labels));
    const bool is_integer = parse_integer(text, number);
    has_integer = has_integer || is_integer;
    labels.integers = labels.integers && (is_integer || is_no_label(text, true));
  }
  labels.integers = labels.integers && has_integer;  // a class of texts may be called NA
  for (std::string& text : labels.texts) {
    if (is_no_label(text, labels.integers)) text.clear();
    if (!text.empty()) labels.distinct.insert(text);
    number = 0;
    if (labels.integers && !text.empty() && parse_integer(text, number))
      labels.distinct_numbers.insert(number);
    labels.numbers.push_back(number);
  }
  require(!labels.distinct.empty(), column_text(column), " has no label");
  return labels;
}

void check_are_classes(const LabelColumn& column, const Labels& labels) {
  double number = 0;
  const bool numbers = std::all_of(labels.distinct.begin(), labels.distinct.end(),
                                   [&](const std::string& text) { return parse_number(text, number); });
  require(!numbers || labels.integers, column_text(column), " has numbers such as ", *labels.distinct.begin(),
          ", which are not classes; data.value_columns=", column.table.names()[column.labels],
          " learns them as values");
  const std::size_t classes = labels.integers ? labels.distinct_numbers.size() : labels.distinct.size();
  require(classes > 1, column_text(column), " has '", *labels.distinct.begin(),
          "' in every row, but at least two classes are expected");
  const auto without = std::count(labels.texts.begin(), labels.texts.end(), "");
  const std::size_t rows = labels.texts.size() - static_cast<std::size_t>(without);
  const bool many = classes > kManyClasses && classes > rows / 2;
  require(!many && (classes < rows || classes <= 2), column_text(column), " has ", classes,
          " different labels in ", rows, " rows; data.label_column chooses another");
}

// The name of every number, from the column that has them; none if they do not correspond.
Names names_of_numbers(const LabelColumn& column, const Labels& labels) {
  if (!column.names || column.names == column.labels) return {};
  Names names;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < column.rows.size(); ++i) {
    if (labels.texts[i].empty()) continue;
    const std::string text(column.table.at(column.rows[i], *column.names));
    const auto [name, is_new] = names.emplace(labels.numbers[i], text);
    const bool one_to_one = is_new ? seen.insert(text).second : name->second == text;
    require(one_to_one || !column.needs_names, column.table.where(column.rows[i]), ": class ",
            labels.numbers[i], " is called '", text,
            "', but every class is expected to have one name of its own (data.name_column)");
    if (!one_to_one) return {};
  }
  return names;
}

// The place of every label among the classes, by `place_of(i)` of row i.
template <class PlaceOf>
void set_labels(const LabelColumn& column, const Labels& labels, const RunClasses& run, ClassLabels& result,
                const PlaceOf& place_of) {
  for (std::size_t i = 0; i < labels.texts.size(); ++i) {
    const std::int64_t place = labels.texts[i].empty() ? -1 : place_of(i);
    require(labels.texts[i].empty() || (place >= 0 && place < result.count),
            column.table.where(column.rows[i]), ": '", labels.texts[i],
            "' is none of the classes of the run, ",
            run.names.empty() ? concat("0 to ", run.count - 1) : listed(run.names, "and"));
    result.labels.push_back(place);
  }
}

template <class Value>
std::int64_t place_in(const std::vector<Value>& values, const Value& value) {
  const auto found = std::find(values.begin(), values.end(), value);
  return found == values.end() ? -1 : found - values.begin();
}

}  // namespace

bool is_no_label(std::string_view text, bool numbers) {
  double number = 0;
  return text.empty() ||
         (numbers && (is_missing_number(text) || (parse_number(text, number) && std::isnan(number))));
}

ClassLabels find_classes(const LabelColumn& column) {
  const Labels labels = labels_in(column);
  check_are_classes(column, labels);
  ClassLabels result;
  if (!labels.integers) {
    result.names.assign(labels.distinct.begin(), labels.distinct.end());
    result.count = std::ssize(result.names);
    set_labels(column, labels, {}, result,
               [&](std::size_t i) { return place_in(result.names, labels.texts[i]); });
    return result;
  }
  const std::set<std::int64_t>& numbers = labels.distinct_numbers;
  const Names names = names_of_numbers(column, labels);
  result.used_names = !names.empty();
  result.count = std::ssize(numbers);
  result.numbers.assign(numbers.begin(), numbers.end());
  set_labels(column, labels, {}, result,
             [&](std::size_t i) { return place_in(result.numbers, labels.numbers[i]); });
  const bool counted = *numbers.begin() == 0 && *numbers.rbegin() + 1 == result.count;
  if (counted && names.empty()) {
    result.numbers.clear();
    return result;
  }
  for (const std::int64_t number : numbers)
    result.names.push_back(names.empty() ? std::to_string(number) : names.at(number));
  return result;
}

ClassLabels classes_of_run(const LabelColumn& column, const RunClasses& run) {
  const Labels labels = labels_in(column);
  ClassLabels result;
  result.count = run.count;
  result.names = run.names;
  result.numbers = run.numbers;
  const Names names = labels.integers ? names_of_numbers(column, labels) : Names();
  const bool named = !names.empty() && std::all_of(names.begin(), names.end(), [&](const auto& name) {
    return place_in(run.names, name.second) >= 0;
  });
  const bool counted = run.names.empty(), numbered = !run.numbers.empty();
  set_labels(column, labels, run, result, [&](std::size_t i) {
    if (named) return place_in(run.names, names.at(labels.numbers[i]));
    if (labels.integers && counted) return labels.numbers[i];
    if (labels.integers && numbered) return place_in(run.numbers, labels.numbers[i]);
    // A run without `numbers` may have numbers as names.
    return place_in(run.names, labels.integers ? std::to_string(labels.numbers[i]) : labels.texts[i]);
  });
  return result;
}

}  // namespace umbra

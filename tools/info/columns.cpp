#include "tools/info/columns.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "data/catalogs/catalog_checks.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr std::int64_t kTextRows = 50'000, kBinaryRows = std::int64_t{1} << 24;
constexpr std::size_t kMostOthers = 40;

// The first rows of a table. A text is read once; of other tables every column is read when it is needed.
class Sample {
 public:
  explicit Sample(Table& table) : table_(table), is_text_(!table.rows()) {
    TableRequest request{.most_rows = is_text_ ? kTextRows : kBinaryRows, .is_lenient = true};
    for (std::size_t i = 0; is_text_ && i < table.columns().size(); ++i) request.numbers.push_back(i);
    rows_ = table.read(request);
  }
  std::int64_t rows() const { return rows_.read; }
  bool is_complete() const { return rows_.is_complete; }
  std::vector<double> column(std::size_t index) {
    if (is_text_) return rows_.numbers[index];
    return table_.read({.numbers = {index}, .most_rows = kBinaryRows}).numbers[0];
  }

 private:
  Table& table_;
  bool is_text_;
  TableData rows_;
};

void add_value(ColumnFacts& facts, double value, bool good) {
  if (!good) {
    ++facts.bad;
    return;
  }
  facts.smallest = std::min(facts.smallest, value);
  facts.largest = std::max(facts.largest, value);
}

bool are_logarithms(const ColumnKind& kind, std::vector<double> values) {
  Catalog one;
  one.columns[std::string(kind.name)] = std::move(values);
  try {
    check_no_logarithms(one, kind.name, "", "");
  } catch (const Error&) {
    return true;
  }
  return false;
}

ColumnFacts facts_of(const TableChoice& choice, Sample& sample, double box_size) {
  const ColumnKind& kind = *choice.kind;
  ColumnFacts facts{std::string(kind.name), choice.value.text() == kind.name ? "" : choice.value.text(),
                    std::string(kind.unit)};
  std::vector<std::vector<double>> sources;
  for (const std::size_t source : choice.sources) sources.push_back(sample.column(source));
  const std::vector<std::span<const double>> spans(sources.begin(), sources.end());
  std::vector<double> values = choice.value.evaluate(spans, static_cast<std::size_t>(sample.rows()));
  const ValueCheck check(kind);
  const bool is_position = kind.check == ColumnKind::Check::kPosition && box_size > 0;
  for (double& value : values) {
    value = choice.change(value);
    const bool good = choice.is_integer() ? std::isfinite(value) && (kind.name != "upid" || value >= -1)
                                          : check.passes(value);
    add_value(facts, value, good && !(is_position && is_far_outside(value, box_size)));
  }
  const bool light = are_too_light(kind.name, values);
  facts.is_logarithm = !choice.is_integer() && are_logarithms(kind, std::move(values));
  facts.is_too_light = light && !facts.is_logarithm;
  return facts;
}

ColumnFacts facts_of_other(const TableColumn& column, std::size_t index, Sample& sample) {
  ColumnFacts facts{column.name, "", column.unit};
  facts.is_read = false;
  try {
    for (const double value : sample.column(index)) add_value(facts, value, std::isfinite(value));
  } catch (const Error&) {  // a column of texts in a compound table
    facts.bad = sample.rows();
  }
  return facts;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace

const ColumnFacts* Survey::find(std::string_view name) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnFacts& column) {
    return column.is_read && column.name == name;
  });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> Survey::lines() const {
  std::vector<std::string> lines;
  const auto add = [&](const std::string& name, const std::string& unit, const std::string& smallest,
                       const std::string& largest, const std::string& bad) {
    char text[256];
    std::snprintf(text, sizeof text, "%-34s %-10s %13s %13s %11s", name.c_str(), unit.c_str(),
                  smallest.c_str(), largest.c_str(), bad.c_str());
    lines.emplace_back(text);
  };
  add("column", "unit", "smallest", "largest", "bad values");
  for (const ColumnFacts& column : columns) {
    const bool any = column.smallest <= column.largest;
    add(column.is_read ? column.from.empty() ? column.name : concat(column.name, " = ", column.from)
                       : concat("(", column.name, ")"),
        column.unit, any ? number(column.smallest) : "-", any ? number(column.largest) : "-",
        column.bad == 0 ? "0" : concat(column.bad));
  }
  return lines;
}

Survey survey(Table& table, const std::vector<TableChoice>& choices, bool others, double box_size) {
  Sample sample(table);
  Survey found;
  found.rows = sample.rows();
  found.is_complete = sample.is_complete();
  for (const ColumnKind& kind : column_kinds())
    for (const TableChoice& choice : choices)
      if (choice.kind == &kind) found.columns.push_back(facts_of(choice, sample, box_size));
  std::size_t more = 0;
  for (std::size_t i = 0; others && i < table.columns().size() && more < kMostOthers; ++i) {
    const bool used = std::any_of(choices.begin(), choices.end(), [&](const TableChoice& choice) {
      return std::find(choice.sources.begin(), choice.sources.end(), i) != choice.sources.end();
    });
    if (used) continue;
    found.columns.push_back(facts_of_other(table.columns()[i], i, sample));
    ++more;
  }
  return found;
}

}  // namespace umbra

#include "data/catalogs/text_table.h"

#include <algorithm>

#include "data/tables/text_fields.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

std::string bare_name(std::string_view field) {
  if (const std::size_t open = field.rfind('(');
      open != std::string_view::npos && field.ends_with(')') &&
      field.find_first_not_of("0123456789", open + 1) == field.size() - 1)
    field = field.substr(0, open);
  std::string name;
  for (const char c : field)
    if (c != '\\') name += c;
  return name;
}

}  // namespace

bool TextTable::next_line(std::string_view& line) {
  while (reader_.next_line(line)) {
    line_ = reader_.line();
    if (!trim(line).empty()) return true;
  }
  return false;
}

std::span<const std::string_view> TextTable::split(std::string_view line) {
  const std::string wrong = split_fields(line, separator_, fields_);
  if (!wrong.empty()) fail(where(), ": ", wrong);
  return fields_;
}

void TextTable::read_names(std::string_view line) {
  line = trim(line);
  while (line.starts_with('#')) line = trim(line.substr(1));
  names_.clear();
  for (const std::string_view name : split(line)) names_.push_back(bare_name(name));
}

bool TextTable::find_names(std::string_view name, std::string_view& line) {
  while (next_line(line)) {
    read_names(line);
    if (field(name) >= 0 || !trim(line).starts_with('#')) return true;
  }
  return !names_.empty();
}

void TextTable::check_repeated_names(std::string_view line) {
  const std::vector<std::string> first = names_;
  read_names(line);
  const bool is_header = !names_.empty() && names_[0] == first[0], same = names_ == first;
  names_ = first;
  if (is_header && !same) fail(where(), ": a second header line names other columns than the first");
}

int TextTable::field(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
}

void TextTable::choose(std::span<const ColumnName> columns, const ImportOptions& options, Catalog& catalog) {
  skip_bad_rows_ = options.skip_bad_rows;
  progress_ = options.progress;
  for (const ColumnName& column : columns) {
    const int at = field(column.foreign);
    if (at < 0 || is_dropped(options, column.ours) || catalog.has(column.ours)) continue;
    require(std::count(names_.begin(), names_.end(), column.foreign) == 1, where(), ": the column '",
            column.foreign, "' is named more than once");
    const std::string ours(column.ours);
    if (column_kind(ours).check == ColumnKind::Check::kInteger)
      chosen_.push_back({at, nullptr, &catalog.integers[ours], true});
    else
      chosen_.push_back({at, &catalog.columns[ours], nullptr, is_always_needed(ours)});
  }
}

void TextTable::check_count(std::span<const std::string_view> fields) const {
  if (fields.size() != names_.size())
    fail(where(), ": ", fields.size(), " fields, but the header line names ", names_.size(), " columns");
}

double TextTable::number(std::span<const std::string_view> fields, int field) const {
  double value = 0;
  const std::string_view text = fields[static_cast<std::size_t>(field)];
  if (!parse_number(text, value))
    fail(where(), ": column '", names_[static_cast<std::size_t>(field)], "' is '", text,
         "', a number is expected");
  return value;
}

double TextTable::read_rows(RowPlan plan, ImportReport& report) {
  plan.file = file_;
  plan.separator = separator_;
  plan.names = names_;
  plan.columns = chosen_;
  plan.skip_bad_rows = skip_bad_rows_;
  Stage stage(progress_, "reading", bytes_to_read(path_));
  plan.stage = &stage;
  if (plan.comment)
    plan.comment = [this, own = plan.comment](std::int64_t line, std::string_view text) {
      line_ = line;
      own(line, text);
    };
  RowCounts counts = umbra::read_rows(reader_, plan);
  report.read += counts.read;
  report.bad_rows += counts.bad;
  if (reader_.ends_within_line()) report.notes.emplace_back(kEndsWithinLine);
  lines_ = std::move(counts.lines);
  return counts.same;
}

}  // namespace umbra

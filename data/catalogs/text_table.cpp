#include "data/catalogs/text_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "engine/base/error.h"

namespace umbra {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// "+1.5e+02", as printf("%+e") has it.
std::string_view without_plus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

bool parse(std::string_view text, double& value) {
  text = without_plus(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse(std::string_view text, std::int64_t& value) {
  text = without_plus(text);
  std::string_view digits = text;  // "-1.0", "2809272603.0": pandas writes ids like this
  if (const std::size_t dot = text.find('.'); dot != std::string_view::npos && dot > 0 &&
                                              text.find_first_not_of('0', dot + 1) == std::string_view::npos)
    digits = text.substr(0, dot);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) return true;
  constexpr double kExact = 0x1p53;  // a larger number in the notation "9.007e15" has lost digits
  double real = 0;
  if (!parse(text, real) || real != std::floor(real) || std::abs(real) > kExact) return false;
  value = static_cast<std::int64_t>(real);
  return true;
}

// The texts that mean a missing number.
bool is_missing(std::string_view text) {
  for (const std::string_view word : {"", "NA", "N/A", "NaN", "null", "NULL", "None", "-", "--", "\\N"})
    if (text == word) return true;
  return false;
}

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

// Removes the quoted field at the start of `rest` and returns it without its quotes.
std::string_view take_quoted(std::string_view& rest, const TextTable& table) {
  const std::size_t end = rest.find('"', 1);
  if (end == std::string_view::npos) fail(table.where(), ": a quote is opened and not closed");
  const std::string_view field = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return field;
}

}  // namespace

bool parse_number(std::string_view text, double& value) {
  return parse(text, value);
}

bool TextTable::next_line(std::string_view& line) {
  while (reader_.next_line(line))
    if (!trim(line).empty()) return true;
  return false;
}

std::span<const std::string_view> TextTable::split(std::string_view line) {
  fields_.clear();
  const bool blanks = separator_ == ' ';
  for (line = trim(line); !blanks || !line.empty(); line = trim(line)) {
    if (line.starts_with('"')) {
      fields_.push_back(take_quoted(line, *this));
      line = trim(line);
      if (blanks) continue;
      if (line.empty()) return fields_;
      if (line.front() != separator_)
        fail(where(), ": after a quoted field a '", separator_, "' is expected");
      line.remove_prefix(1);
      continue;
    }
    const auto end = static_cast<std::size_t>((blanks ? std::find_if(line.begin(), line.end(), is_blank)
                                                      : std::find(line.begin(), line.end(), separator_)) -
                                              line.begin());
    fields_.push_back(trim(line.substr(0, end)));
    if (!blanks && end == line.size()) return fields_;
    line.remove_prefix(std::min(end + (blanks ? 0 : 1), line.size()));
  }
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
  row_.resize(chosen_.size());
  row_integers_.resize(chosen_.size());
}

void TextTable::check_count(std::span<const std::string_view> fields) const {
  if (fields.size() != names_.size())
    fail(where(), ": ", fields.size(), " fields, but the header line names ", names_.size(), " columns");
}

double TextTable::number(std::span<const std::string_view> fields, int field) const {
  double value = 0;
  const std::string_view text = fields[static_cast<std::size_t>(field)];
  if (!parse(text, value))
    fail(where(), ": column '", names_[static_cast<std::size_t>(field)], "' is '", text,
         "', a number is expected");
  return value;
}

// Parses into row_ and row_integers_. Returns false, with the field in bad_field_, for text that is not a
// number.
bool TextTable::parse_row(std::span<const std::string_view> fields) {
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    bad_field_ = chosen_[i].field;
    const std::string_view text = fields[static_cast<std::size_t>(bad_field_)];
    if (chosen_[i].numbers ? parse(text, row_[i]) : parse(text, row_integers_[i])) continue;
    if (!chosen_[i].numbers || chosen_[i].needed || !is_missing(text)) return false;
    row_[i] = std::numeric_limits<double>::quiet_NaN();  // handled with the other bad values
  }
  return true;
}

void TextTable::append_row(std::span<const std::string_view> fields, ImportReport& report) {
  check_count(fields);
  if (!parse_row(fields)) {
    const auto bad = static_cast<std::size_t>(bad_field_);
    const auto column =
        std::find_if(chosen_.begin(), chosen_.end(), [&](const Chosen& c) { return c.field == bad_field_; });
    if (!skip_bad_rows_)
      fail(where(), ": column '", names_[bad], "' is '", fields[bad], "', ",
           column->numbers ? "a number" : "an integer",
           " is expected; --skip-bad-rows leaves out such rows, --drop a column");
    ++report.bad_rows;
    return;
  }
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    if (chosen_[i].numbers)
      chosen_[i].numbers->push_back(row_[i]);
    else
      chosen_[i].integers->push_back(row_integers_[i]);
  }
  lines_.push_back(reader_.line());
}

}  // namespace umbra

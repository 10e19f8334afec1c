#include "data/catalogs/text_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool parse(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return true;
  double real = 0;  // "-1.0", "2809272603.0": pandas writes ids like this
  if (!parse(text, real) || real != std::floor(real) || std::abs(real) >= 0x1p63) return false;
  value = static_cast<std::int64_t>(real);
  return true;
}

}  // namespace

TextTable::TextTable(const std::filesystem::path& path, char separator)
    : path_(path), stream_(path), separator_(separator) {
  std::error_code ignored;
  require(std::filesystem::is_regular_file(path, ignored) && bool(stream_), "file '", path.string(),
          "' does not exist or cannot be opened");
}

bool TextTable::next_line(std::string& line) {
  while (std::getline(stream_, line)) {
    ++line_;
    require(line.size() <= kLongestLine && line.find('\0') == std::string::npos, where(),
            ": this is not text");
    if (!trim(line).empty()) return true;
  }
  return false;
}

std::vector<std::string_view> TextTable::split(std::string_view line) const {
  std::vector<std::string_view> fields;
  if (separator_ == ' ') {
    for (line = trim(line); !line.empty(); line = trim(line)) {
      const auto end =
          static_cast<std::size_t>(std::find_if(line.begin(), line.end(), is_blank) - line.begin());
      fields.push_back(line.substr(0, end));
      line.remove_prefix(end);
    }
    return fields;
  }
  for (;;) {
    const std::size_t end = line.find(separator_);
    fields.push_back(trim(line.substr(0, end)));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

int TextTable::field(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  return found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
}

std::string TextTable::where() const {
  return concat("file '", path_.string(), "' line ", line_);
}

double TextTable::number(std::span<const std::string_view> fields, std::string_view name) const {
  double value = 0;
  const auto at = static_cast<std::size_t>(field(name));
  require(at < fields.size() && parse(fields[at], value), where(), ": column '", name, "' is '",
          at < fields.size() ? fields[at] : "", "', a number is expected");
  return value;
}

void TextTable::append_row(std::string_view line, std::span<const ColumnName> columns,
                           Catalog& catalog) const {
  const std::vector<std::string_view> fields = split(line);
  require(fields.size() >= names_.size(), where(), ": ", fields.size(), " fields, ", names_.size(),
          " are expected");
  for (const ColumnName& column : columns) {
    const int at = field(column.foreign);
    if (at < 0) continue;
    const std::string_view text = fields[static_cast<std::size_t>(at)];
    if (column_kind(column.ours).check == ColumnKind::Check::kInteger) {
      std::int64_t value = 0;
      require(parse(text, value), where(), ": column '", column.foreign, "' is '", text,
              "', an integer is expected");
      catalog.integers[std::string(column.ours)].push_back(value);
    } else {
      catalog.columns[std::string(column.ours)].push_back(number(fields, column.foreign));
    }
  }
}

}  // namespace umbra

#include "data/images/csv.h"

#include <algorithm>

#include "data/tables/column_names.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"
#include "engine/base/listed.h"
#include "engine/base/nearest.h"

namespace umbra {
namespace {

constexpr std::size_t kFirstRows = 20;

}  // namespace

TextTableRows::TextTableRows(const std::filesystem::path& path)
    : path_(path), reader_(path), head_(read_text_head(reader_, path.string(), RowsOf::kTexts)) {
  std::vector<std::string_view> fields;
  for (const std::string& name : names())
    require(is_utf8(name), file(), ": the names of its columns are not UTF-8", conversion());
  while (first_.size() < kFirstRows && next_row(fields)) {
    std::vector<std::string>& row = first_.emplace_back();
    for (const std::string_view field : fields) row.push_back(unescaped(field));
    first_lines_.push_back(line_number_);
  }
}

bool TextTableRows::next_row(std::vector<std::string_view>& fields) {
  if (!head_.first_row.empty()) {
    line_ = std::move(head_.first_row);
    line_number_ = head_.first_line;
    head_.first_row.clear();
  } else {
    std::string_view line;
    do {
      if (!reader_.next_line(line)) return false;
    } while (trim(line).empty() || trim(line).starts_with('#'));
    line_ = line;
    line_number_ = reader_.line();
  }
  require(is_utf8(line_), file(), " line ", line_number_, ": it is not UTF-8", conversion());
  const std::string problem = split_fields(line_, head_.separator, fields);
  require(problem.empty(), file(), " line ", line_number_, ": ", problem);
  require(fields.size() == names().size(), file(), " line ", line_number_, ": it has ", fields.size(),
          " fields, but the ", names().size(), " of the first line are expected");
  return true;
}

std::string TextTableRows::conversion() const {
  return concat("; a table in Latin-1 is converted by iconv -f latin1 -t utf-8 ", file(), " > UTF8.csv");
}

void TextTableRows::keep(std::string_view field) {
  texts_ += field;
  ends_.push_back(texts_.size());
}

void TextTableRows::read(std::vector<std::size_t> columns) {
  columns_ = std::move(columns);
  for (std::size_t row = 0; row < first_.size(); ++row) {
    for (const std::size_t column : columns_) keep(first_[row][column]);
    lines_.add(first_lines_[row]);
  }
  std::vector<std::string_view> fields;
  while (next_row(fields)) {
    for (const std::size_t column : columns_) {
      if (fields[column].find('"') == std::string_view::npos)
        keep(fields[column]);
      else
        keep(unescaped(fields[column]));
    }
    lines_.add(line_number_);
  }
}

std::string_view TextTableRows::at(std::size_t row, std::size_t column) const {
  const auto kept = std::find(columns_.begin(), columns_.end(), column);
  const std::size_t place = row * columns_.size() + static_cast<std::size_t>(kept - columns_.begin());
  const std::size_t begin = place == 0 ? 0 : ends_[place - 1];
  return std::string_view(texts_).substr(begin, ends_[place] - begin);
}

std::size_t TextTableRows::chosen(const std::string& name, const std::string& setting) const {
  const std::optional<std::size_t> found = find_name(names(), name, file());
  require(found.has_value(), file(), ": there is no column '", name, "' (", setting, "); there are ",
          listed(names(), "and"), closest_hint(names(), name));
  return *found;
}

std::optional<std::size_t> TextTableRows::called(std::initializer_list<const char*> wanted) const {
  for (const char* name : wanted)
    for (std::size_t i = 0; i < names().size(); ++i)
      if (lower_case(names()[i]) == lower_case(name)) return i;
  return std::nullopt;
}

std::string TextTableRows::where(std::size_t row) const {
  return concat(file(), " line ", lines_[row]);
}

}  // namespace umbra

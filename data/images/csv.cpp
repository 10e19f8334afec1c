#include "data/images/csv.h"

#include <algorithm>
#include <array>

#include "data/tables/column_names.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"
#include "engine/base/listed.h"
#include "engine/base/nearest.h"
#include "engine/io/text_reader.h"

namespace umbra {
namespace {

// The separator that the first line has most of; a blank if it has none.
char separator_of(std::string_view line) {
  char best = ' ';
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t'}) {
    const std::ptrdiff_t count = std::count(line.begin(), line.end(), candidate);
    if (count > most) best = candidate;
    most = std::max(most, count);
  }
  return best;
}

}  // namespace

TextTableRows::TextTableRows(const std::filesystem::path& path) : path_(path) {
  TextReader reader(path);
  std::string_view line;
  std::vector<std::string_view> fields;
  char separator = ',';
  while (reader.next_line(line)) {
    if (trim(line).empty()) continue;
    if (names_.empty() && line.starts_with('#')) line.remove_prefix(1);
    if (names_.empty()) separator = separator_of(line);
    const std::string problem = split_fields(line, separator, fields);
    require(problem.empty(), reader.where(), ": ", problem);
    if (names_.empty()) {
      names_.assign(fields.begin(), fields.end());
      continue;
    }
    require(fields.size() == names_.size(), reader.where(), ": it has ", fields.size(), " fields, but the ",
            names_.size(), " of the first line are expected");
    fields_.insert(fields_.end(), fields.begin(), fields.end());
    lines_.push_back(reader.line());
  }
  require(!names_.empty(), file(), ": it is empty; a line with the names of its columns is expected");
}

std::size_t TextTableRows::chosen(const std::string& name, const std::string& setting) const {
  const std::optional<std::size_t> found = find_name(names_, name, file());
  require(found.has_value(), file(), ": there is no column '", name, "' (", setting, "); there are ",
          listed(names_, "and"), closest_hint(names_, name));
  return *found;
}

std::optional<std::size_t> TextTableRows::called(std::initializer_list<const char*> wanted) const {
  for (const char* name : wanted)
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (lower_case(names_[i]) == lower_case(name)) return i;
  return std::nullopt;
}

std::string TextTableRows::where(std::size_t row) const {
  return concat(file(), " line ", lines_[row]);
}

}  // namespace umbra

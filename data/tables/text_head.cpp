#include "data/tables/text_head.h"

#include <algorithm>
#include <span>

#include "data/tables/text_fields.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

using Fields = std::vector<std::string_view>;

// The separator that a line has most of; a blank if it has none.
char separator_of(std::string_view line, RowsOf rows) {
  char best = ' ';
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t'}) {
    if (candidate == '\t' && rows == RowsOf::kNumbers) continue;  // tabs are blanks between numbers
    const std::ptrdiff_t count = std::count(line.begin(), line.end(), candidate);
    if (count > most) best = candidate;
    most = std::max(most, count);
  }
  return best;
}

// Whether a line is a row and not one of names: most of its fields are numbers.
bool is_row(std::span<const std::string_view> fields) {
  double number = 0;
  const auto numbers = std::count_if(fields.begin(), fields.end(), [&](std::string_view field) {
    return parse_number(field, number) || is_missing_number(field);
  });
  return 2 * static_cast<std::size_t>(numbers) > fields.size();
}

// Whether these are names and not the words of a remark.
bool are_names(std::span<const std::string_view> fields) {
  return !is_row(fields) && std::none_of(fields.begin(), fields.end(), [](std::string_view field) {
    return field.empty() || field.find_first_of(" =:") != std::string_view::npos;
  });
}

// The names in the last comment that has as many of them as the first row has fields; none if there is no such comment.
Fields names_in(const std::vector<std::string>& comments, char separator, std::size_t count) {
  Fields names;
  for (auto comment = comments.rbegin(); comment != comments.rend(); ++comment)
    for (const char of_names : {separator, ','}) {  // numpy.savetxt(header="x,y") separates rows by blanks
      const bool good = split_fields(*comment, of_names, names).empty();
      if (good && names.size() == count && are_names(names)) return names;
    }
  return {};
}

void set_names(const Fields& fields, TextHead& head) {
  for (const std::string_view field : fields) head.names.push_back(unescaped(field));
}

}  // namespace

TextHead read_text_head(TextReader& reader, const std::string& file, RowsOf rows) {
  TextHead head;
  std::string_view line;
  bool found = false;
  while (!found && reader.next_line(line)) {
    const std::string_view text = trim(line);
    if (text.empty()) continue;
    found = !text.starts_with('#');
    if (!found)
      head.comments.emplace_back(text.substr(std::min(text.find_first_not_of("# \t"), text.size())));
  }
  require(found || !head.comments.empty(), file, " is empty, a table with a line of names is expected");
  const std::string first(found ? line : std::string_view(head.comments.back()));
  head.separator = separator_of(first, rows);
  Fields fields;
  if (const std::string wrong = split_fields(first, head.separator, fields); !wrong.empty())
    fail(file, " line ", reader.line(), ": ", wrong);
  const bool is_numbers = is_row(fields), may_be_row = rows == RowsOf::kTexts && fields.size() > 1;
  Fields names;
  if (found && (is_numbers || may_be_row)) names = names_in(head.comments, head.separator, fields.size());
  if (!found || (!is_numbers && (names.empty() || names == fields))) {
    set_names(fields, head);
    return head;
  }
  head.first_row = first;
  head.first_line = reader.line();
  set_names(names, head);
  for (std::size_t i = 1; names.empty() && i <= fields.size(); ++i) head.names.push_back(concat("c", i));
  if (names.empty())
    head.note = concat("the file does not name its columns; they are called c1 to c", fields.size());
  return head;
}

}  // namespace umbra

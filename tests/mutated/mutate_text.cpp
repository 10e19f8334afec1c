#include <algorithm>
#include <utility>

#include "tests/mutated/mutate.h"

namespace umbra::mutated {
namespace {

using namespace std::string_literals;

// Begin and end, without the newline, of the line around a place drawn at random.
std::pair<std::size_t, std::size_t> any_line(const std::string& text, Draws& draws) {
  const std::size_t at = draws.below(text.size());
  const std::size_t before = at == 0 ? text.npos : text.rfind('\n', at - 1);
  const std::size_t begin = before == text.npos ? 0 : before + 1;
  return {begin, std::min(text.find('\n', begin), text.size())};
}

void replace_number(std::string& text, Draws& draws) {
  const std::string values[] = {"nan",
                                "inf",
                                "-inf",
                                "-1",
                                "0",
                                "-0",
                                "",
                                "1e999",
                                "1e-999",
                                "0x10",
                                "1e18",
                                "9223372036854775807",
                                "-9223372036854775808",
                                "18446744073709551616",
                                "1.5.2",
                                "+",
                                std::string(100 + draws.below(5000), '7'),
                                std::to_string(draws.word())};
  const std::size_t digit = text.find_first_of("0123456789", draws.below(text.size()));
  if (digit == text.npos) return;
  const std::size_t before = text.find_last_not_of("0123456789.+-eE", digit);
  const std::size_t begin = before == text.npos ? 0 : before + 1;
  const std::size_t end = std::min(text.find_first_not_of("0123456789.+-eE", digit), text.size());
  text.replace(begin, end - begin, values[draws.below(std::size(values))]);
}

void drop_line(std::string& text, Draws& draws) {
  const auto [begin, end] = any_line(text, draws);
  text.erase(begin, end - begin + 1);
}

void duplicate_line(std::string& text, Draws& draws) {
  const auto [begin, end] = any_line(text, draws);
  const std::string line = text.substr(begin, end - begin) + "\n";
  text.insert(draws.below(2) == 0 ? begin : any_line(text, draws).first, line);
}

void join_lines(std::string& text, Draws& draws) {
  const std::size_t end = any_line(text, draws).second;
  if (end < text.size()) text.erase(end, 1);
}

void insert_symbol(std::string& text, Draws& draws) {
  const std::string symbols[] = {",",    " ",  "\t", ";",  "\"",     "'",        "\0"s,      "\r",
                                 "\r\n", "\n", "#",  "=",  "[",      "]",        "{",        "}",
                                 "(",    ".",  "-",  "\\", "\"\"\"", "\xff\xfe", "\x1b[31m", "\xef\xbb\xbf"};
  text.insert(draws.below(text.size() + 1), symbols[draws.below(std::size(symbols))]);
}

void delete_separator(std::string& text, Draws& draws) {
  const std::size_t at = text.find_first_of(", \t=\"'[]()#\r", draws.below(text.size()));
  if (at != text.npos) text.erase(at, 1);
}

void insert_huge_line(std::string& text, Draws& draws) {
  const std::string fields[] = {"1 ", "1,", "x", "[", "#", " ", "a.", "{a="};
  const std::string& field = fields[draws.below(std::size(fields))];
  std::string line;
  for (std::size_t n = 1 + draws.below(200'000); n > 0; --n) line += field;
  text.insert(any_line(text, draws).first, draws.below(4) == 0 ? line : line + "\n");
}

}  // namespace

std::string mutate_text(std::string text, Draws& draws) {
  using Change = void (*)(std::string&, Draws&);
  constexpr Change kChanges[] = {replace_number, replace_number,   replace_number,  drop_line,
                                 duplicate_line, join_lines,       insert_symbol,   insert_symbol,
                                 insert_symbol,  delete_separator, insert_huge_line};
  if (draws.below(5) == 0) return mutate_bytes(std::move(text), draws);
  const std::size_t changes = draws.below(2) == 0 ? 1 : 1 + draws.below(4);
  for (std::size_t n = 0; n < changes && !text.empty(); ++n)
    kChanges[draws.below(std::size(kChanges))](text, draws);
  return text;
}

}  // namespace umbra::mutated

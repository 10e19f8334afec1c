#include "data/tables/text_fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/error.h"

namespace umbra {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// "+1.5e+02", as printf("%+e") has it.
std::string_view without_plus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

// Without blanks, and tabs that separate nothing, at its ends.
std::string_view strip(std::string_view text, char separator) {
  const auto skip = [separator](char c) { return is_blank(c) && (c != '\t' || separator != '\t'); };
  while (!text.empty() && skip(text.front())) text.remove_prefix(1);
  while (!text.empty() && skip(text.back())) text.remove_suffix(1);
  return text;
}

// Where the quoted field that a line begins with ends: at a quote that is not doubled. npos: it does not end.
std::size_t end_of_quoted(std::string_view line) {
  std::size_t end = line.find('"', 1);
  while (end != std::string_view::npos && end + 1 < line.size() && line[end + 1] == '"')
    end = line.find('"', end + 2);
  return end;
}

}  // namespace

std::string_view trim(std::string_view text) {
  return strip(text, ' ');
}

std::string split_fields(std::string_view line, char separator, std::vector<std::string_view>& fields) {
  fields.clear();
  const bool blanks = separator == ' ';
  const auto ends_field = [&](char c) { return c == separator || (blanks && is_blank(c)); };
  for (line = strip(line, separator); !blanks || !line.empty(); line = strip(line, separator)) {
    if (line.starts_with('"')) {
      const std::size_t end = end_of_quoted(line);
      if (end == std::string_view::npos) return "a quote is opened and not closed within the line";
      fields.push_back(line.substr(1, end - 1));
      line = strip(line.substr(end + 1), separator);
    } else {
      const auto end =
          static_cast<std::size_t>(std::find_if(line.begin(), line.end(), ends_field) - line.begin());
      fields.push_back(strip(line.substr(0, end), separator));
      line.remove_prefix(end);
    }
    if (blanks) continue;
    if (line.empty()) return {};
    if (line.front() != separator) return concat("after a quoted field a '", separator, "' is expected");
    line.remove_prefix(1);
  }
  return {};
}

bool is_utf8(std::string_view text) {
  std::size_t more = 0;               // bytes that the character still needs
  unsigned char least = 0, most = 0;  // of the next of them
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (more > 0) {
      if (byte < least || byte > most) return false;
      --more;
      least = 0x80, most = 0xbf;
      continue;
    }
    if (byte < 0x80) continue;
    if (byte < 0xc2 || byte > 0xf4) return false;
    more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    // Neither longer than necessary, nor half of a pair of UTF-16, nor beyond the last character.
    least = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    most = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  }
  return more == 0;
}

std::string unescaped(std::string_view field) {
  std::string text(field);
  for (std::size_t at = 0; (at = text.find("\"\"", at)) != std::string::npos; ++at) text.erase(at, 1);
  return text;
}

bool parse_number(std::string_view text, double& value) {
  text = without_plus(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_integer(std::string_view text, std::int64_t& value) {
  text = without_plus(text);
  std::string_view digits = text;  // "-1.0", "2809272603.0": pandas writes ids like this
  if (const std::size_t dot = text.find('.'); dot != std::string_view::npos && dot > 0 &&
                                              text.find_first_not_of('0', dot + 1) == std::string_view::npos)
    digits = text.substr(0, dot);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) return true;
  constexpr double kExact = 0x1p53;  // a larger number in the notation "9.007e15" has lost digits
  double real = 0;
  if (!parse_number(text, real) || real != std::floor(real) || std::abs(real) > kExact) return false;
  value = static_cast<std::int64_t>(real);
  return true;
}

bool is_missing_number(std::string_view text) {
  for (const std::string_view word : {"", "NA", "N/A", "NaN", "null", "NULL", "None", "-", "--", "\\N"})
    if (text == word) return true;
  return false;
}

}  // namespace umbra

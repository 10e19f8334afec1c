// The fields of a line of a text table, and the numbers in them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace umbra {

/// Returns the text without blanks and tabs at its ends.
std::string_view trim(std::string_view text);
/// Splits a line into fields, without blanks around them and without quotes. A separator ' ' means any run of
/// blanks and tabs; any other, exactly one such character. A quote within quotes is doubled, also in the result:
/// unescaped() removes one. Returns what is wrong, such as a quote that is not closed; "" if nothing is.
std::string split_fields(std::string_view line, char separator, std::vector<std::string_view>& fields);
/// Whether a text is valid UTF-8.
bool is_utf8(std::string_view text);
/// The text of a field of split_fields(), with each doubled quote as one.
std::string unescaped(std::string_view field);

/// Parses a number such as "1.5" or "+1.5e+02". Returns false when the text is not a number.
bool parse_number(std::string_view text, double& value);
/// Parses an integer, which may be written as "7.0" or "7e0". Returns false when the text is not an integer.
bool parse_integer(std::string_view text, std::int64_t& value);
/// Whether the text means a missing number ("", "NA", "null", "-", …).
bool is_missing_number(std::string_view text);

}  // namespace umbra

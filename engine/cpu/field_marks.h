// Finds the fields of a text table, 64 bytes at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace umbra {

/// Marks of 64 bytes, a bit for each, the first byte in the lowest bit.
struct FieldMarks {
  std::uint64_t line_ends;  ///< LF
  std::uint64_t starts;     ///< the first byte of a field
  std::uint64_t fields;     ///< the number of starts
};

/// Sets marks[i] for the bytes from text + 64 i; text[0] begins a line. A separator ' ' means any run of blanks and
/// tabs; any other, exactly one such character. With the latter a field may be empty, and its start is the
/// separator or line end that follows. `size` is a multiple of 64. Returns whether the text contains one of
/// `others`.
bool mark_fields(const char* text, std::size_t size, char separator, std::array<char, 3> others,
                 FieldMarks* marks);

}  // namespace umbra

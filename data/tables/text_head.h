// The head of a text table: its separator and the names of its columns, which may be in a comment or missing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/io/text_reader.h"

namespace umbra {

/// What is before the rows of a text table.
struct TextHead {
  char separator = ' ';               ///< as of split_fields()
  std::vector<std::string> names;     ///< of the columns, as they are written
  std::vector<std::string> comments;  ///< the lines that begin with '#', without it
  std::string first_row;              ///< a row that was read to find the names, or empty
  std::int64_t first_line = 0;        ///< its line
  std::string
      note;  ///< for the user, if the file does not name its columns, which are then c1, c2, …; or empty
};

/// What the rows of a table contain.
enum class RowsOf {
  kNumbers,  ///< mostly numbers: a first line of texts has the names
  kTexts  ///< any texts: a comment that has as many words as the first line has the names; tabs may separate
};

/// Reads a table up to its rows: names are in the first line that is not a comment or, if that is a row, in the last
/// comment with as many fields. Throws Error, which begins with `file`, for an empty file or a damaged line.
TextHead read_text_head(TextReader& reader, const std::string& file, RowsOf rows);

}  // namespace umbra

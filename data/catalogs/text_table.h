// Numbers out of text tables (blank- or comma-separated), into catalog columns, with errors that name file
// and line.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/catalogs/catalog.h"

namespace umbra {

/// Which column of a foreign table becomes which column of a catalog.
struct ColumnName {
  std::string_view foreign, ours;
};

class TextTable {
 public:
  /// separator ' ': any run of blanks and tabs; otherwise exactly one such character.
  TextTable(const std::filesystem::path& path, char separator);

  /// The next line that is not empty, without its end; false at the end of the file.
  bool next_line(std::string& line);
  /// Splits a line; the views die with it.
  std::vector<std::string_view> split(std::string_view line) const;
  /// Names the columns, in the order of the fields; a row must then have at least as many fields.
  void set_names(std::vector<std::string> names) { names_ = std::move(names); }
  /// The field called `name`, or -1.
  int field(std::string_view name) const;

  /// Appends one row: of every pair in `columns` whose foreign name is in the table. Integers may be written
  /// as 7.0. Throws Error naming file, line and column for a missing field or something that is not a number.
  void append_row(std::string_view line, std::span<const ColumnName> columns, Catalog& catalog) const;
  /// One field as a number.
  double number(std::span<const std::string_view> fields, std::string_view name) const;

  std::string where() const;  // "file 'a.csv' line 7"

 private:
  std::filesystem::path path_;
  std::ifstream stream_;
  char separator_;
  std::int64_t line_ = 0;
  std::vector<std::string> names_;
};

}  // namespace umbra

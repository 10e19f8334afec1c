// Reads numbers from text tables (blank- or comma-separated) into catalog columns. Errors state file and
// line. Fields may be quoted and numbers may begin with '+'; a row must have as many fields as the header
// has names.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/catalogs/import_rows.h"
#include "engine/io/text_reader.h"

namespace umbra {

/// The names of a column in a table and in a catalog.
struct ColumnName {
  std::string_view foreign,  ///< in the table
      ours;                  ///< in the catalog
};

/// Parses a number such as "1.5" or "+1.5e+02". Returns false when the text is not a number.
bool parse_number(std::string_view text, double& value);

/// A text table and the catalog columns that are filled from it.
class TextTable {
 public:
  /// Opens the file. A separator ' ' means any run of blanks and tabs; any other, exactly one such character.
  TextTable(const std::filesystem::path& path, char separator) : reader_(path), separator_(separator) {}

  /// Reads the next line that is not empty. Returns false at the end of the file.
  bool next_line(std::string_view& line);
  /// Changes the separator.
  void set_separator(char separator) { separator_ = separator; }
  /// Splits a line into fields, without quotes. The views are valid as long as `line`, the span until the
  /// next call. Throws Error for a quote that is not closed.
  std::span<const std::string_view> split(std::string_view line);
  /// Reads the names of the columns from the header line, in the order of the fields. It removes the `#`
  /// before the first name, backslashes and a number in parentheses (`#scale(0)`, `# scale(0)`,
  /// `Vmax\@Mpeak(74)`). "X(kpc/h)" keeps its unit and is not X.
  void read_names(std::string_view line);
  /// Reads the names from the first line that contains the name `name` or does not begin with `#`. Returns
  /// false for an empty file.
  bool find_names(std::string_view name, std::string_view& line);
  /// Throws Error when `line` is a header with other names, as in concatenated files.
  void check_repeated_names(std::string_view line);
  /// The names of the columns of the table.
  const std::vector<std::string>& names() const { return names_; }
  /// The index of the field called `name`, or -1.
  int field(std::string_view name) const;
  /// Sets the columns that append_row() reads: those of `columns` that the table has and `options` do not
  /// drop. If the table has several names for one column, the first in `columns` is used. `catalog` gets
  /// the rows and must outlive this object. Throws Error for a name that is in the header twice.
  void choose(std::span<const ColumnName> columns, const ImportOptions& options, Catalog& catalog);

  /// Appends one row. Integers may be written as 7.0. Throws Error with file, line and column for a wrong
  /// number of fields and for text that is not a number; with skip_bad_rows the latter is counted as a bad
  /// row instead.
  void append_row(std::span<const std::string_view> fields, ImportReport& report);
  /// One field as a number. Throws Error when it is not one.
  double number(std::span<const std::string_view> fields, int field) const;
  /// Throws Error unless there are as many fields as names.
  void check_count(std::span<const std::string_view> fields) const;

  std::string where() const { return reader_.where(); }  ///< "file 'a.csv' line 7"
  /// The line of an appended row, e.g. "line 7".
  std::string place(std::size_t row) const { return concat_line(lines_[row]); }

 private:
  struct Chosen {
    int field;
    std::vector<double>* numbers;  // one of the two
    std::vector<std::int64_t>* integers;
    bool needed;  // a missing number is no reason to leave out the column
  };
  static std::string concat_line(std::int64_t line) { return "line " + std::to_string(line); }
  bool parse_row(std::span<const std::string_view> fields);

  TextReader reader_;
  char separator_;
  std::vector<std::string> names_;
  std::vector<std::string_view> fields_;
  std::vector<Chosen> chosen_;
  std::vector<double> row_;  // of chosen_, before it is known to be sound
  std::vector<std::int64_t> row_integers_;
  std::vector<std::int64_t> lines_;  // [row]
  bool skip_bad_rows_ = false;
  int bad_field_ = -1;
};

}  // namespace umbra

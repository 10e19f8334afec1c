// Numbers out of text tables (blank- or comma-separated), into catalog columns, with errors that name file
// and line. Fields may be quoted and numbers begin with '+'; a row has as many fields as the header has
// names, no more, no fewer.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/catalogs/import_rows.h"
#include "engine/io/text_reader.h"

namespace umbra {

/// Which column of a foreign table becomes which column of a catalog.
struct ColumnName {
  std::string_view foreign, ours;
};

/// A number as tables have it: "1.5", "+1.5e+02".
bool parse_number(std::string_view text, double& value);

class TextTable {
 public:
  /// separator ' ': any run of blanks and tabs; otherwise exactly one such character.
  TextTable(const std::filesystem::path& path, char separator) : reader_(path), separator_(separator) {}

  /// The next line that is not empty; false at the end of the file.
  bool next_line(std::string_view& line);
  void set_separator(char separator) { separator_ = separator; }
  /// Splits a line, without the quotes around fields; the views die with it, the span with the next call.
  std::span<const std::string_view> split(std::string_view line);
  /// Names the columns from the header line: in the order of the fields, without the '#' before the first,
  /// without backslashes and a number in parentheses ("#scale(0)", "# scale(0)", "Vmax\@Mpeak(74)");
  /// "X(kpc/h)" keeps its unit and is no X.
  void read_names(std::string_view line);
  /// Reads the names from the first line that has `name` among them, or is no remark beginning with '#';
  /// false for an empty file.
  bool find_names(std::string_view name, std::string_view& line);
  /// Throws Error when `line` is a header of other columns, as of a second file behind the first.
  void check_repeated_names(std::string_view line);
  const std::vector<std::string>& names() const { return names_; }
  /// The field called `name`, or -1.
  int field(std::string_view name) const;
  /// Which columns append_row() takes: those of `columns` that the table has and `options` do not drop. Of
  /// several foreign names for one of ours the first counts. Throws Error for a name that stands twice in the
  /// header.
  void choose(std::span<const ColumnName> columns, const ImportOptions& options, Catalog& catalog);

  /// Appends one row. Integers may be written as 7.0. Throws Error naming file, line and column for too many
  /// or too few fields and for what is no number; with skip_bad_rows such a number is counted as a bad row.
  void append_row(std::span<const std::string_view> fields, ImportReport& report);
  /// One field as a number.
  double number(std::span<const std::string_view> fields, int field) const;
  /// Throws Error unless there are as many fields as names.
  void check_count(std::span<const std::string_view> fields) const;

  std::string where() const { return reader_.where(); }  // "file 'a.csv' line 7"
  /// Of a row that was appended: "line 7".
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

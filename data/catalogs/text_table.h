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
#include "data/tables/text_rows.h"

namespace umbra {

/// The names of a column in a table and in a catalog.
struct ColumnName {
  std::string_view foreign,  ///< in the table
      ours;                  ///< in the catalog
};

/// A text table and the catalog columns that are filled from it.
class TextTable {
 public:
  /// Opens the file. A separator ' ' means any run of blanks and tabs; any other, exactly one such character.
  TextTable(const std::filesystem::path& path, char separator)
      : path_(path), file_("file '" + path.string() + "'"), reader_(path), separator_(separator) {}

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
  /// Sets the columns that read_rows() reads: those of `columns` that the table has and `options` do not
  /// drop. If the table has several names for one column, the first in `columns` is used. `catalog` gets
  /// the rows and must outlive this object. Throws Error for a name that is in the header twice.
  void choose(std::span<const ColumnName> columns, const ImportOptions& options, Catalog& catalog);

  /// Reads all further rows into the chosen columns, on all threads. The caller sets `same`, `cut` and `comment`
  /// of the plan. Throws Error as umbra::read_rows() does. Returns the number that `same` asks for.
  double read_rows(RowPlan plan, ImportReport& report);
  /// One field as a number. Throws Error when it is not one.
  double number(std::span<const std::string_view> fields, int field) const;
  /// Throws Error unless there are as many fields as names.
  void check_count(std::span<const std::string_view> fields) const;

  /// The line read last or, in RowPlan::comment, that line: "file 'a.csv' line 7".
  std::string where() const { return file_ + " " + concat_line(line_); }
  /// The line of a row that was read, e.g. "line 7".
  std::string place(std::size_t row) const { return concat_line(lines_[row]); }

 private:
  static std::string concat_line(std::int64_t line) { return "line " + std::to_string(line); }

  std::filesystem::path path_;
  std::string file_;
  TextReader reader_;
  char separator_;
  std::int64_t line_ = 0;
  std::vector<std::string> names_;
  std::vector<std::string_view> fields_;
  std::vector<RowPlan::Column> chosen_;
  RowLines lines_;  // of the rows
  bool skip_bad_rows_ = false;
  StageReport progress_;
};

}  // namespace umbra

// A table of texts: CSV, or text separated by semicolons, tabs or blanks (data/tables/text_head.h). A table may have
// hundreds of columns, of which a few are used: only these are kept in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/tables/text_head.h"
#include "data/tables/text_rows.h"

namespace umbra {

/// The rows of a text table as they are written.
class TextTableRows {
 public:
  /// Reads the names of the columns and a few rows. Throws Error for a row with another number of fields than there are
  /// names and for text that is not UTF-8, as read() does.
  explicit TextTableRows(const std::filesystem::path& path);
  /// The names of the columns.
  const std::vector<std::string>& names() const { return head_.names; }
  /// The number of rows that the constructor read.
  std::size_t first_rows() const { return first_.size(); }
  /// A field of one of these rows.
  const std::string& first(std::size_t row, std::size_t column) const { return first_[row][column]; }
  /// Reads all rows and keeps these columns. To be called once.
  void read(std::vector<std::size_t> columns);
  /// The number of rows, after read().
  std::size_t size() const { return lines_.size(); }
  /// A field of a column that is kept.
  std::string_view at(std::size_t row, std::size_t column) const;
  /// The column that a setting names, without regard to case. Throws Error, which lists the columns, if there is none.
  std::size_t chosen(const std::string& name, const std::string& setting) const;
  /// The first column with one of these names, without regard to case.
  std::optional<std::size_t> called(std::initializer_list<const char*> names) const;
  /// "labels.csv line 7" of a row, for messages.
  std::string where(std::size_t row) const;
  /// "labels.csv"
  std::string file() const { return path_.string(); }
  /// A remark for the user; empty if there is none.
  const std::string& note() const { return head_.note; }

 private:
  bool next_row(std::vector<std::string_view>& fields);
  void keep(std::string_view field);
  std::string conversion() const;  // to UTF-8, for messages

  std::filesystem::path path_;
  TextReader reader_;
  TextHead head_;
  std::string line_;                             // the row that next_row() read
  std::int64_t line_number_ = 0;                 // its number
  std::vector<std::vector<std::string>> first_;  // [first rows, names]
  std::vector<std::int64_t> first_lines_;        // of these rows
  std::vector<std::size_t> columns_;             // that are kept
  std::string texts_;                            // the fields that are kept, row by row
  std::vector<std::size_t> ends_;                // [rows, columns_] of each field in texts_
  RowLines lines_;                               // of all rows
};

}  // namespace umbra

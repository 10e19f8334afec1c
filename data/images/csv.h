// A table of texts: CSV, or text separated by semicolons, tabs or blanks. The first line has the names of the columns.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace umbra {

/// The rows of a text table as they are written.
class TextTableRows {
 public:
  /// Reads the whole file. Throws Error for a row with another number of fields than there are names.
  explicit TextTableRows(const std::filesystem::path& path);
  /// The names of the columns.
  const std::vector<std::string>& names() const { return names_; }
  /// The number of rows.
  std::size_t size() const { return lines_.size(); }
  /// A field.
  const std::string& at(std::size_t row, std::size_t column) const {
    return fields_[row * names_.size() + column];
  }
  /// The column that a setting names, without regard to case. Throws Error, which lists the columns, if there is none.
  std::size_t chosen(const std::string& name, const std::string& setting) const;
  /// The first column with one of these names, without regard to case.
  std::optional<std::size_t> called(std::initializer_list<const char*> names) const;
  /// "labels.csv line 7" of a row, for messages.
  std::string where(std::size_t row) const;
  /// "labels.csv"
  std::string file() const { return path_.string(); }

 private:
  std::filesystem::path path_;
  std::vector<std::string> names_;
  std::vector<std::string> fields_;  // [rows, names]
  std::vector<std::int64_t> lines_;  // of each row
};

}  // namespace umbra

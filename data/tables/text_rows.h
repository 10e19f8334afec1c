// Reads the rows of a text table in parallel: every thread takes a block of whole lines and parses it, and the rows
// are stored in the order of the file. Rows and errors do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/stage.h"
#include "engine/io/text_reader.h"

namespace umbra {

/// What is read from the rows of a table. Fields are numbered from 0.
struct RowPlan {
  /// A column to store, in one of the two lists.
  struct Column {
    int field;                            ///< in the table
    std::vector<double>* numbers;         ///< or null
    std::vector<std::int64_t>* integers;  ///< or null
    bool needed;                          ///< a missing number is an error; otherwise it becomes NaN
  };
  std::string file;                ///< "file 'a.csv'", for messages
  char separator = ' ';            ///< as of split_fields()
  std::vector<std::string> names;  ///< of all fields
  std::vector<Column> columns;     ///< to store
  int same = -1;                   ///< a field that must have one positive number in all rows; -1: none
  std::string same_name;           ///< what that number is, for messages
  int cut = -1;                    ///< a field below whose minimum a row is counted but not stored; -1: none
  double minimum = 0;              ///< of `cut`
  Stage* stage = nullptr;          ///< gets the bytes of every block; null: nobody listens
  bool skip_bad_rows = false;      ///< count rows with wrong numbers instead of throwing
  /// Called for every line that begins with '#', in order and by one thread at a time, with its number and text.
  std::function<void(std::int64_t line, std::string_view text)> comment;
};

/// The lines of rows. Most rows are in the line after that of the row before; only the others take memory.
class RowLines {
 public:
  /// Adds a row.
  void add(std::int64_t line);
  /// The number of rows.
  std::size_t size() const { return static_cast<std::size_t>(rows_); }
  /// The line of a row.
  std::int64_t operator[](std::size_t row) const;

 private:
  struct Run {
    std::int64_t row, line;  // the first of the run
  };
  std::int64_t rows_ = 0;
  std::vector<Run> runs_;
};

/// What read_rows() found.
struct RowCounts {
  std::int64_t read = 0;  ///< rows
  std::int64_t bad = 0;   ///< rows that were skipped
  double same = 0;        ///< the number that all rows have; 0 without rows
  RowLines lines;         ///< of the stored rows
};

/// A remark on a file whose last line has no line break.
inline constexpr const char* kEndsWithinLine =
    "the last line has no line break; if the file was cut short, its last number may be wrong";

/// Reads all further lines. Throws Error with file and line for the first line that is wrong: one with another
/// number of fields than names, or with text that is not a number.
RowCounts read_rows(TextReader& reader, const RowPlan& plan);

}  // namespace umbra

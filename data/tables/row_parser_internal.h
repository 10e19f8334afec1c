// Parses the rows in a block of lines. Only the wanted fields are touched: vector instructions mark where fields
// begin and lines end.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/tables/text_rows.h"
#include "engine/cpu/field_marks.h"
#include "engine/io/text_reader.h"

namespace umbra {

/// What a block of lines contains. Lines are counted from 0.
struct ParsedRows {
  std::vector<std::vector<double>> numbers;                    ///< [column][row or more]; empty for integers
  std::vector<std::vector<std::int64_t>> integers;             ///< [column][row or more]; empty for numbers
  std::vector<std::int64_t> lines;                             ///< [row]
  std::vector<std::pair<std::int64_t, std::string>> comments;  ///< lines whose text begins with '#', and it
  std::size_t bytes = 0;                                       ///< of the block
  std::int64_t read = 0;                                       ///< rows
  std::int64_t bad = 0;                                        ///< rows that were skipped
  bool has_same = false;                                       ///< the number of RowPlan::same was found
  double same = 0;                                             ///< that number, in the first row
  std::int64_t same_line = 0;                                  ///< the line of the first row
  std::int64_t all_lines = 0;                                  ///< lines that are not wrong
  std::string wrong;         ///< what is wrong with the line after these; "": nothing
  std::exception_ptr error;  ///< of the block as a whole
};

/// The message about a row whose number `RowPlan::same` is not that of the others.
std::string not_the_same(const RowPlan& plan, double number, double first);

/// Parses blocks; one object per thread.
class RowParser {
 public:
  /// Parses rows as `plan` says, which must outlive this object.
  explicit RowParser(const RowPlan& plan);
  /// Parses a block, whose line ends may change. The result is valid until the next call. Never throws: errors are
  /// in the result.
  const ParsedRows& parse(TextBlock& block) noexcept;

 private:
  std::size_t place(int field) const;
  bool is_separator(char c) const { return c == plan_.separator || (blanks_ && c == '\t'); }
  bool mark(const TextBlock& block);
  void parse_lines(std::string_view text);
  void parse_plain(const TextBlock& block);
  void end_plain_line(std::string_view line, std::size_t fields);
  bool take_comment(std::string_view line);
  void take_row(std::size_t fields, const char* line_end);
  void open_texts(const char* line_end);
  void check_same();
  std::size_t parse_row();
  void make_room();
  [[noreturn]] void fail_at(std::size_t column);
  std::string_view cut(std::size_t i);
  template <class T>
  bool parse(std::size_t i, T& value);

  const RowPlan& plan_;
  const bool blanks_;                     // fields are separated by blanks and tabs
  std::vector<std::size_t> wanted_;       // fields, ascending
  std::vector<std::string_view> texts_;   // of wanted_, in this row
  bool open_ends_ = false;                // texts_ end with the line, not with their fields
  std::vector<std::size_t> places_;       // in wanted_, of each column
  std::size_t same_ = 0, cut_ = 0;        // the same of plan_.same and plan_.cut
  std::vector<FieldMarks> marks_;         // of the block
  std::vector<std::string_view> fields_;  // of a line with quotes
  std::size_t room_ = 0;                  // rows for which the columns of found_ have memory
  std::int64_t line_ = 0;
  ParsedRows found_;
};

}  // namespace umbra

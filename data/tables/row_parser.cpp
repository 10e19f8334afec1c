#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "data/tables/row_parser_internal.h"
#include "data/tables/text_fields.h"
#include "engine/base/error.h"

namespace umbra {

std::string not_the_same(const RowPlan& plan, double number, double first) {
  return concat("the ", plan.same_name, " is ", number, ", that of the file is ", first);
}

RowParser::RowParser(const RowPlan& plan) : plan_(plan), blanks_(plan.separator == ' ') {
  const auto want = [&](int field) {
    if (field >= 0) wanted_.push_back(static_cast<std::size_t>(field));
  };
  for (const RowPlan::Column& column : plan.columns) want(column.field);
  want(plan.same);
  want(plan.cut);
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  texts_.resize(wanted_.size());
  for (const RowPlan::Column& column : plan.columns) places_.push_back(place(column.field));
  same_ = place(plan.same);
  cut_ = place(plan.cut);
  found_.numbers.resize(plan.columns.size());
  found_.integers.resize(plan.columns.size());
}

std::size_t RowParser::place(int field) const {
  return static_cast<std::size_t>(std::find(wanted_.begin(), wanted_.end(), static_cast<std::size_t>(field)) -
                                  wanted_.begin());
}

const ParsedRows& RowParser::parse(TextBlock& block) noexcept {
  found_.bytes = block.size;
  found_.lines.clear();
  found_.comments.clear();
  found_.read = found_.bad = line_ = 0;
  found_.has_same = false;
  found_.wrong.clear();
  try {
    bool plain = mark(block);
    if (!plain && block.drop_carriage_returns()) plain = mark(block);
    if (plain)
      parse_plain(block);
    else
      parse_lines(block.text());
  } catch (const Error& error) {
    found_.wrong = error.what();
  } catch (...) {
    found_.error = std::current_exception();
  }
  found_.all_lines = line_;
  return found_;
}

// Returns whether the block has neither quotes nor characters that are not allowed.
bool RowParser::mark(const TextBlock& block) {
  const std::size_t words = (block.size + 63) / 64;
  marks_.resize(std::max(marks_.size(), words));
  return !mark_fields(block.bytes.data(), 64 * words, plan_.separator, {'\0', '\r', '"'}, marks_.data());
}

bool RowParser::take_comment(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos || line[begin] != '#') return false;
  if (plan_.comment) found_.comments.emplace_back(line_, line.substr(begin));
  return true;
}

void RowParser::parse_lines(std::string_view text) {
  for (; !text.empty(); ++line_) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (const std::string wrong = why_not_text(line); !wrong.empty()) fail(wrong);
    if (take_comment(line) || trim(line).empty()) continue;
    if (const std::string wrong = split_fields(line, plan_.separator, fields_); !wrong.empty()) fail(wrong);
    for (std::size_t i = 0; i < wanted_.size(); ++i)
      if (wanted_[i] < fields_.size()) texts_[i] = fields_[wanted_[i]];
    take_row(fields_.size(), nullptr);
  }
}

// Only wanted fields are looked up; the others are counted, 64 bytes at a time.
void RowParser::parse_plain(const TextBlock& block) {
  const char *line = block.bytes.data(), *const end = line + block.size;
  std::size_t field = 0, next = 0;  // fields that have begun in this line; the next of wanted_
  // Takes the starts of fields from `at` on, which are all in this line.
  const auto count = [&](const char* at, std::uint64_t starts, std::size_t fields) {
    for (; next < wanted_.size() && wanted_[next] < field + fields; ++next) {
      for (; field < wanted_[next]; ++field, --fields) starts &= starts - 1;
      texts_[next] = {at + std::countr_zero(starts), 1};  // open_texts() extends it
    }
    field += fields;
  };
  for (std::size_t word = 0; line < end; ++word) {
    const char* const at = block.bytes.data() + 64 * word;
    auto [line_ends, starts, fields] = marks_[word];
    for (; line_ends != 0; line_ends &= line_ends - 1) {
      const std::uint64_t of_line = line_ends ^ (line_ends - 1);  // up to the first line end
      const auto in_line = static_cast<std::size_t>(std::popcount(starts & of_line));
      count(at, starts & of_line, in_line);
      const char* const newline = at + std::countr_zero(line_ends);
      end_plain_line({line, static_cast<std::size_t>(newline - line)}, field);
      ++line_;
      line = newline + 1;
      if (line == end) return;
      field = next = 0;
      starts &= ~of_line;
      fields -= in_line;
    }
    count(at, starts, fields);
  }
}

void RowParser::end_plain_line(std::string_view line, std::size_t fields) {
  if (const std::string wrong = why_too_long(line); !wrong.empty()) fail(wrong);
  if (!take_comment(line) && !trim(line).empty()) take_row(fields, line.data() + line.size());
}

// Ends the text where its field ends.
std::string_view RowParser::cut(std::size_t i) {
  std::string_view& text = texts_[i];
  const auto ends = [this](char c) { return is_separator(c); };
  if (open_ends_) text = trim({text.begin(), std::find_if(text.begin(), text.end(), ends)});
  return text;
}

template <class T>
bool RowParser::parse(std::size_t i, T& value) {
  const char *const begin = texts_[i].data(), *const stop = begin + texts_[i].size();
  if (open_ends_) {  // most numbers end where their field ends
    const auto [end, error] = std::from_chars(begin, stop, value);
    if (error == std::errc() && (end == stop || is_separator(*end))) return true;
  }
  if constexpr (std::is_integral_v<T>)
    return parse_integer(cut(i), value);
  else
    return parse_number(cut(i), value);
}

// Texts that begin in the right place and end with the line need its end.
void RowParser::take_row(std::size_t fields, const char* line_end) {
  if (fields != plan_.names.size())
    fail(fields, " fields, but the header line names ", plan_.names.size(), " columns");
  open_ends_ = line_end != nullptr;
  if (open_ends_) open_texts(line_end);
  if (plan_.same >= 0) check_same();
  ++found_.read;
  double number = 0;
  if (plan_.cut >= 0 && parse(cut_, number) && number < plan_.minimum) return;
  if (found_.lines.size() == room_) make_room();
  const std::size_t wrong = parse_row();
  if (wrong == places_.size())
    found_.lines.push_back(line_);
  else if (plan_.skip_bad_rows)
    ++found_.bad;
  else
    fail_at(wrong);
}

void RowParser::open_texts(const char* line_end) {
  for (std::string_view& text : texts_) {
    const char* begin = text.data();
    while (*begin == ' ') ++begin;
    text = {begin, static_cast<std::size_t>(line_end - begin)};
  }
}

void RowParser::check_same() {
  double number = 0;
  if (!parse(same_, number))
    fail("column '", plan_.names[wanted_[same_]], "' is '", cut(same_), "', a number is expected");
  if (!found_.has_same) {
    found_.has_same = true;
    found_.same = number;
    found_.same_line = line_;
  }
  if (!(number == found_.same && number > 0)) fail(not_the_same(plan_, number, found_.same));
}

// Parses the next row. Returns the first column that is not a number, or the number of columns.
std::size_t RowParser::parse_row() {
  const std::size_t row = found_.lines.size();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const RowPlan::Column& column = plan_.columns[i];
    if (column.numbers == nullptr) {
      if (!parse(places_[i], found_.integers[i][row])) return i;
    } else if (!parse(places_[i], found_.numbers[i][row])) {
      if (column.needed || !is_missing_number(cut(places_[i]))) return i;
      found_.numbers[i][row] = std::numeric_limits<double>::quiet_NaN();  // handled with the other bad values
    }
  }
  return places_.size();
}

void RowParser::make_room() {
  constexpr std::size_t kRows = 256;
  room_ = std::max(kRows, 2 * room_);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (plan_.columns[i].numbers != nullptr)
      found_.numbers[i].resize(room_);
    else
      found_.integers[i].resize(room_);
  }
}

void RowParser::fail_at(std::size_t column) {
  const std::size_t i = places_[column];
  fail("column '", plan_.names[wanted_[i]], "' is '", cut(i), "', ",
       plan_.columns[column].numbers != nullptr ? "a number" : "an integer",
       " is expected; --skip-bad-rows leaves out such rows, --drop a column");
}

}  // namespace umbra

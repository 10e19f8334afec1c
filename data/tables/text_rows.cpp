#include "data/tables/text_rows.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "data/tables/row_parser_internal.h"
#include "engine/base/error.h"

namespace umbra {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 18;  // stays in a core's cache

// Gives blocks to the threads and stores what they contain in the order of the file.
class Blocks {
 public:
  Blocks(TextReader& reader, const RowPlan& plan) : reader_(reader), plan_(plan), lines_(reader.line()) {}

  // Reads the next block. Returns its number, or -1 at the end.
  std::int64_t read(TextBlock& block) {
    const std::unique_lock lock(reading_);
    try {
      if (!ended_ && reader_.next_block(kBlock, block)) {
        if (plan_.stage) plan_.stage->add(static_cast<std::int64_t>(block.size));
        return given_++;
      }
      ended_ = true;
      return -1;
    } catch (...) {
      ended_ = true;
      ParsedRows nothing;
      nothing.error = std::current_exception();
      store(given_, nothing);
      return -1;
    }
  }
  // Waits until the blocks before this one are stored, then stores it.
  void store(std::int64_t number, const ParsedRows& rows) {
    std::unique_lock lock(storing_);
    turn_.wait(lock, [&] { return stored_ == number; });
    try {
      if (!error_) append(rows);
    } catch (...) {
      error_ = std::current_exception();
      ended_ = true;
    }
    ++stored_;
    turn_.notify_all();
  }
  // For an error before this thread has read a block: no more blocks are given.
  void stop(const std::exception_ptr& error) {
    const std::unique_lock lock(storing_);
    if (!error_) error_ = error;
    ended_ = true;
  }
  RowCounts finish() {
    if (error_) std::rethrow_exception(error_);
    return std::move(counts_);
  }

 private:
  void append(const ParsedRows& rows);
  void reserve(const ParsedRows& rows);

  TextReader& reader_;
  const RowPlan& plan_;
  std::mutex reading_, storing_;
  std::condition_variable turn_;
  std::atomic<bool> ended_ = false;
  std::int64_t given_ = 0, stored_ = 0;  // blocks
  std::int64_t lines_;                   // before the block that is stored next
  std::exception_ptr error_;
  RowCounts counts_;
};

void Blocks::append(const ParsedRows& rows) {
  const auto fail_in = [&](std::int64_t line, const std::string& wrong) {
    fail(plan_.file, " line ", lines_ + line + 1, ": ", wrong);
  };
  // In the order of the lines, so that the first error is reported.
  auto comment = rows.comments.begin();
  const auto call_comments = [&](std::int64_t before) {
    for (; comment != rows.comments.end() && comment->first < before; ++comment)
      plan_.comment(lines_ + comment->first + 1, comment->second);
  };
  if (rows.has_same) {
    call_comments(rows.same_line);
    if (counts_.read == 0) counts_.same = rows.same;
    if (rows.same != counts_.same) fail_in(rows.same_line, not_the_same(plan_, rows.same, counts_.same));
  }
  call_comments(rows.all_lines);
  if (rows.error) std::rethrow_exception(rows.error);
  if (!rows.wrong.empty()) fail_in(rows.all_lines, rows.wrong);
  if (counts_.read == 0) reserve(rows);
  const auto stored = static_cast<std::ptrdiff_t>(rows.lines.size());
  for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
    const auto add = [&](auto* to, const auto& from) {
      if (to != nullptr) to->insert(to->end(), from.begin(), from.begin() + stored);
    };
    if (stored > 0) add(plan_.columns[i].numbers, rows.numbers[i]);
    if (stored > 0) add(plan_.columns[i].integers, rows.integers[i]);
  }
  for (const std::int64_t line : rows.lines) counts_.lines.add(lines_ + line + 1);
  counts_.read += rows.read;
  counts_.bad += rows.bad;
  lines_ += rows.all_lines;
}

// Memory for as many rows as the file has if it continues as in this block. Without it, the columns would be
// copied each time they have doubled.
void Blocks::reserve(const ParsedRows& rows) {
  constexpr double kMargin = 1.05;
  const double blocks = static_cast<double>(reader_.size()) / static_cast<double>(rows.bytes);
  const auto count = static_cast<std::size_t>(kMargin * blocks * static_cast<double>(rows.lines.size()));
  for (const RowPlan::Column& column : plan_.columns) {
    if (column.numbers != nullptr) column.numbers->reserve(column.numbers->size() + count);
    if (column.integers != nullptr) column.integers->reserve(column.integers->size() + count);
  }
}

}  // namespace

void RowLines::add(std::int64_t line) {
  if (runs_.empty() || line - runs_.back().line != rows_ - runs_.back().row) runs_.push_back({rows_, line});
  ++rows_;
}

std::int64_t RowLines::operator[](std::size_t row) const {
  const auto number = static_cast<std::int64_t>(row);
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), number,
                                      [](std::int64_t r, const Run& run) { return r < run.row; });
  return std::prev(after)->line + (number - std::prev(after)->row);
}

RowCounts read_rows(TextReader& reader, const RowPlan& plan) {
  Blocks blocks(reader, plan);
#pragma omp parallel
  {
    try {
      RowParser parser(plan);
      TextBlock block;
      for (std::int64_t number; (number = blocks.read(block)) >= 0;)
        blocks.store(number, parser.parse(block));
    } catch (...) {
      blocks.stop(std::current_exception());
    }
  }
  return blocks.finish();
}

}  // namespace umbra

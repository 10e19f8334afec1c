// Lines that are redrawn on a terminal: in windows of every width, also while they are resized, nothing of an
// earlier drawing stays.
#include "engine/io/status_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "engine/train/progress.h"
#include "tests/fixtures/terminal.h"

namespace umbra {
namespace {

using testing_terminal::Screen;
using testing_terminal::set_columns;

// A pseudo-terminal, and one screen that wraps long lines again on resizing and one that cuts them.
class StatusLineTest : public testing::Test {
 protected:
  StatusLineTest() {
    ::setenv("TERM", "xterm", 1);
    int inside = -1;
    if (::openpty(&outside_, &inside, nullptr, nullptr, nullptr) != 0) return;
    ::fcntl(outside_, F_SETFL, O_NONBLOCK);
    out_ = ::fdopen(inside, "w");
    resize(80);
  }
  ~StatusLineTest() override {
    if (out_ != nullptr) std::fclose(out_);
    ::close(outside_);
  }
  void SetUp() override { ASSERT_NE(out_, nullptr) << "there is no pseudo-terminal"; }

  void resize(std::size_t columns) {
    take();
    set_columns(outside_, columns);
    for (Screen& screen : screens_) screen.resize(columns);
  }
  // What the terminal has got since the last call goes to the screens.
  std::string take() {
    std::fflush(out_);
    std::string all;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(outside_, buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(got));
    for (Screen& screen : screens_) screen.feed(all);
    return all;
  }
  // Both screens show exactly these rows.
  void expect_rows(const std::vector<std::string>& rows) {
    take();
    for (const Screen& screen : screens_) EXPECT_EQ(screen.rows(), rows);
  }

  int outside_ = -1;
  std::FILE* out_ = nullptr;
  std::vector<Screen> screens_{Screen(80, true), Screen(80, false)};
};

const std::string kLong(150, 'x');

// Without this the other tests would prove nothing.
TEST_F(StatusLineTest, ALineThatIsTooLongLeavesJunkOnTheseScreens) {
  for (int i = 0; i < 3; ++i) std::fprintf(out_, "\r%s\033[K", kLong.c_str());
  take();
  for (const Screen& screen : screens_) EXPECT_GT(screen.rows().size(), 2U);
}

TEST_F(StatusLineTest, IsOneRowInWindowsOfAnyWidthWhileTheyAreResized) {
  std::fprintf(out_, "before\n");
  StatusLine line(out_);
  for (const std::size_t columns : {80, 60, 200, 20, 21, 160, 1, 2, 80}) {
    resize(columns);  // the line in the old width is on the screen
    for (int i = 0; i < 3; ++i) line.draw(kLong);
    take();
    const std::size_t longest = std::min(columns - 1, kLong.size());
    for (const Screen& screen : screens_) {
      if (columns < 6) continue;  // "before" takes several rows, or is cut for good
      const std::vector<std::string> rows = screen.rows();
      ASSERT_EQ(rows.size(), 2U) << columns;
      EXPECT_EQ(rows[1], kLong.substr(0, longest)) << columns;
    }
  }
}

// The window is narrower when the text arrives than it was when its width was read.
TEST_F(StatusLineTest, AWindowThatShrinksMeanwhileLeavesNoRow) {
  StatusLine line(out_);
  for (int i = 0; i < 3; ++i) {
    line.draw(kLong);
    for (Screen& screen : screens_) screen.resize(33);
    take();
  }
  set_columns(outside_, 33);
  line.draw("short");
  expect_rows({"short"});
}

TEST_F(StatusLineTest, WhatFollowsStartsOnACleanLine) {
  {
    StatusLine line(out_);
    line.draw("one");
    line.print(kLong);  // whole, in two rows of 80 columns
    line.draw("two\n\033[Kthree\xc3\xa9");
    expect_rows({std::string(80, 'x'), std::string(70, 'x'), "two??[Kthree??"});
    line.draw("four");
    line.clear();
    std::fprintf(out_, "a note\n");
    line.draw("left by an exception");
  }
  std::fprintf(out_, "an error\n");
  expect_rows({std::string(80, 'x'), std::string(70, 'x'), "a note", "an error"});
}

TEST_F(StatusLineTest, ASignalHandlerClearsTheLine) {
  StatusLine line(out_);
  line.draw("under way");
  take();
  clear_status_line();
  expect_rows({});
}

TEST_F(StatusLineTest, OnATerminalWithoutEscapeSequencesOnlyWholeLinesArePrinted) {
  ::setenv("TERM", "dumb", 1);
  StatusLine line(out_);
  EXPECT_FALSE(line.on_terminal());
  EXPECT_FALSE(line.due());
  line.draw("never");
  line.print("a line");
  EXPECT_EQ(take(), "a line\r\n");
}

TEST_F(StatusLineTest, IsDrawnATenthOfASecondApart) {
  StatusLine line(out_);
  EXPECT_TRUE(line.due());
  line.draw("x");
  EXPECT_FALSE(line.due());
  ::usleep(110'000);
  EXPECT_TRUE(line.due());
}

TEST(StatusParts, TheLeastImportantAreLeftOutFirst) {
  const std::vector<StatusPart> parts{{"name", 0}, {"[bar]", 2}, {"", 1}, {"50%", 1}};
  EXPECT_EQ(fitting_parts(parts, 16), "name  [bar]  50%");
  EXPECT_EQ(fitting_parts(parts, 15), "name  50%");
  EXPECT_EQ(fitting_parts(parts, 8), "name");
  EXPECT_EQ(fitting_parts(parts, 2), "name");  // draw() cuts it
  EXPECT_EQ(progress_bar(1, 2, 12), "[#####.....]");
  EXPECT_EQ(progress_bar(0, 0, 12), "[..........]");
  EXPECT_EQ(progress_bar(9, 2, 12), "[##########]");
  EXPECT_EQ(clock_text(3599.5), "1:00:00");
  EXPECT_EQ(clock_text(61), "1:01");
}

// Sixty epochs of two steps.
class ProgressTest : public StatusLineTest {
 protected:
  Report step(Progress& progress, std::int64_t epoch, std::int64_t number) {
    Report report;
    report.epoch = epoch;
    report.step = 2 * epoch + number;
    report.samples = 32;
    report.loss = report.metric = 53.781234;
    report.learning_rate = 3.29e-9;
    progress.on_step(report);
    return report;
  }
  void epoch(Progress& progress, std::int64_t epoch) {
    step(progress, epoch, 1);
    const Report report = step(progress, epoch, 2);
    progress.on_validation(report);
    progress.on_step_done(report, true);
  }
  std::string shown() {
    take();
    const std::vector<std::string> rows = screens_[0].rows();
    EXPECT_EQ(rows, screens_[1].rows());
    EXPECT_EQ(rows.size(), 1U);
    return rows.empty() ? "" : rows.back();
  }
};

TEST_F(ProgressTest, FitsEveryWindowWithItsMostImportantParts) {
  Progress progress(out_, 60, 2, 0, "chi2", "boxes");
  for (std::size_t columns = 20; columns <= 200; ++columns) {
    resize(columns);
    epoch(progress, 11);
    const std::string line = shown();
    EXPECT_LT(line.size(), columns);
    EXPECT_TRUE(line.starts_with("epoch 12/60")) << line;
    const auto has = [&](const char* part) { return line.find(part) != std::string::npos; };
    EXPECT_EQ(has("  ["), columns >= 26) << columns << line;
    EXPECT_EQ(has("  loss 53.78"), columns >= 38) << columns << line;
    EXPECT_EQ(has("  validation 53.78"), columns >= 56) << columns << line;
    if (columns >= 80) {
      EXPECT_TRUE(has("  left 0:")) << line;
    }
    if (columns >= 140) {
      EXPECT_TRUE(has("  chi2 53.78") && has("  lr 3.29e-09") && has(" boxes/s")) << line;
    }
  }
}

TEST_F(ProgressTest, FitsTheWindowInAnEpochToo) {
  resize(60);
  Progress progress(out_, 60, 2, 0, "chi2", "boxes");
  epoch(progress, 11);
  ::usleep(110'000);
  step(progress, 12, 1);
  EXPECT_EQ(shown(), "epoch 13/60  [#####.....]  loss 53.78  validation 53.78");
}

TEST_F(ProgressTest, TheLastLineStaysWholeAndAnUnfinishedOneGoes) {
  resize(40);
  {
    Progress progress(out_, 2, 2, 0, "chi2", "boxes");
    epoch(progress, 0);
    epoch(progress, 1);
  }
  take();
  std::string whole;
  for (const std::string& row : screens_[1].rows()) whole += row.size() < 40 ? row + " " : row;
  for (const char* part : {"epoch 2/2", "[####################]", "loss 53.78", "chi2 53.78",
                           "validation 53.78", "lr 3.29e-09", "boxes/s", "left 0:00"})
    EXPECT_NE(whole.find(part), std::string::npos) << part << " | " << whole;
  const std::size_t rows = screens_[1].rows().size();
  {
    Progress progress(out_, 2, 2, 0, "chi2", "boxes");
    step(progress, 0, 1);
    take();
    EXPECT_EQ(screens_[1].rows().size(), rows + 1);
  }
  take();
  EXPECT_EQ(screens_[1].rows().size(), rows);
}

TEST_F(ProgressTest, TheLineOfTheLastEpochStaysAfterAnEarlyStop) {
  resize(200);
  for (const bool in_an_epoch : {false, true}) {
    Progress progress(out_, 60, 2, 0, "chi2", "boxes");
    epoch(progress, 0);
    epoch(progress, 1);
    if (in_an_epoch) step(progress, 2, 1);
  }
  take();
  const std::vector<std::string> rows = screens_[1].rows();
  ASSERT_EQ(rows.size(), 2U);
  for (const std::string& row : rows)
    EXPECT_TRUE(row.starts_with("epoch 2/60  [") && row.find("  validation 53.78  ") < row.size()) << row;
}

TEST(ProgressInAFile, IsALineForEveryEpoch) {
  std::FILE* file = std::tmpfile();
  {
    Progress progress(file, 2, 1, 0, "chi2", "boxes");
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
      Report report;
      report.epoch = epoch;
      report.step = epoch + 1;
      report.samples = 32;
      report.loss = report.metric = 42.5;
      report.learning_rate = 0.003;
      progress.on_step(report);
      progress.on_validation(report);
      progress.on_step_done(report, true);
    }
  }
  std::rewind(file);
  char text[512] = {};
  const std::string all(text, std::fread(text, 1, sizeof text, file));
  std::fclose(file);
  EXPECT_TRUE(all.starts_with("epoch 1/2  loss 42.5  chi2 42.5  validation 42.5  lr 0.003  ")) << all;
  EXPECT_NE(all.find(" boxes/s  left 0:00\n"), std::string::npos) << all;
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2) << all;
  EXPECT_EQ(all.find('\r'), std::string::npos);
}

}  // namespace
}  // namespace umbra

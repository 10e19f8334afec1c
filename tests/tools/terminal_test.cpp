// The tools on a terminal: progress in one line that never leaves anything behind, also while the window is resized.
#include "tests/fixtures/terminal.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <thread>

#include "tests/fixtures/run_tool.h"
#include "tools/common/reading_line.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_terminal::Screen;
using testing_terminal::set_columns;
using testing_tools::run;

// A tool in a terminal of its own, with what it wrote and what two kinds of terminal show.
class ToolOnTerminal {
 public:
  ToolOnTerminal(const std::string& command, std::size_t columns) {
    const winsize size{24, static_cast<unsigned short>(columns), 0, 0};
    resize_screens(columns);
    process_ = ::forkpty(&terminal_, nullptr, nullptr, const_cast<winsize*>(&size));
    if (process_ != 0) return;
    ::setenv("TERM", "xterm", 1);
    ::setenv("OMP_NUM_THREADS", "1", 1);
    const std::string line = "cd '" UMBRA_BINARY_DIR "/tools' && exec ./" + command;
    ::execl("/bin/bash", "bash", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  ~ToolOnTerminal() { ::close(terminal_); }

  // Reads for at most `milliseconds`; false after the end of the tool.
  bool read_for(int milliseconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    char buffer[4096];
    for (auto now = std::chrono::steady_clock::now(); now < end; now = std::chrono::steady_clock::now()) {
      pollfd ready{terminal_, POLLIN, 0};
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - now).count();
      if (::poll(&ready, 1, static_cast<int>(left) + 1) <= 0) continue;
      const ssize_t got = ::read(terminal_, buffer, sizeof buffer);
      if (got <= 0) return false;
      const std::string_view part(buffer, static_cast<std::size_t>(got));
      written.append(part);
      for (Screen& screen : screens) screen.feed(part);
    }
    return true;
  }
  // Until the tool has written `text`; false if it ended before.
  bool read_until(std::string_view text) {
    while (written.find(text) == std::string::npos)
      if (!read_for(20)) return written.find(text) != std::string::npos;
    return true;
  }
  void resize(std::size_t columns) {
    set_columns(terminal_, columns);
    resize_screens(columns);
  }
  void signal(int number) const { ::kill(process_, number); }
  // The exit status, 128 + the signal if one ended it.
  int finish() {
    while (read_for(1000)) continue;
    int status = 0;
    ::waitpid(process_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::string written;
  std::vector<Screen> screens{Screen(80, true), Screen(80, false)};

 private:
  void resize_screens(std::size_t columns) {
    for (Screen& screen : screens) screen.resize(columns);
  }
  int terminal_ = -1;
  pid_t process_ = -1;
};

class TerminalTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    ASSERT_EQ(run("mock --box-size 75 --seed 3 --out " + path("mock.h5")).status, 0);
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_terminal_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string train(const std::string& more) {
    return "train --overwrite --data " + path("mock.h5") + " --out " + path("run") +
           " model.channels=4 train.batch=4 " + more;
  }
};

TEST_F(TerminalTest, TrainingLeavesNoJunkRowWhileItsWindowIsResized) {
  ToolOnTerminal tool(train("train.epochs=100000"), 80);
  ASSERT_TRUE(tool.read_until("  validation ")) << tool.written;
  const std::size_t above = tool.screens[1].rows().size() - 1;
  for (const std::size_t columns : {60, 200, 25, 80}) {
    tool.resize(columns);
    ASSERT_TRUE(tool.read_for(250));
    for (const Screen& screen : tool.screens) {
      const std::vector<std::string> rows = screen.rows();
      // The rows above were wrapped again, or cut, with the window.
      EXPECT_LT(rows.back().size(), columns) << rows.back();
      EXPECT_TRUE(rows.back().starts_with("epoch ")) << rows.back();
      std::size_t lines = 0;
      for (const std::string& row : rows)
        lines += row.starts_with("epoch ") || row.find("  loss") < row.size();
      EXPECT_EQ(lines, 1U) << columns;
    }
    EXPECT_EQ(tool.screens[1].rows().size(), above + 1);
  }
  tool.signal(SIGINT);
  EXPECT_EQ(tool.finish(), 130);
  const std::vector<std::string> rows = tool.screens[1].rows();
  ASSERT_GT(rows.size(), above + 1);
  EXPECT_EQ(rows[above], "stopping after this step; the same signal again stops at once");
  EXPECT_TRUE(rows[above + 1].starts_with("epoch ")) << rows[above + 1];  // the last one that was finished
  std::string rest;
  for (std::size_t row = above + 1; row < rows.size(); ++row) rest += rows[row];
  EXPECT_EQ(rest.find("epoch ", 1), std::string::npos) << rest;
  EXPECT_NE(rest.find("train: stopped by a signal after step "), std::string::npos) << rest;
}

TEST_F(TerminalTest, TheLastEpochStaysAndAnErrorStartsOnACleanLine) {
  ToolOnTerminal tool(train("train.epochs=5"), 60);
  EXPECT_EQ(tool.finish(), 0) << tool.written;
  std::string rows;
  for (const std::string& row : tool.screens[0].rows()) rows += row;
  EXPECT_NE(rows.find("epoch 5/5  [####################]  loss "), std::string::npos) << rows;
  EXPECT_NE(rows.find("left 0:00best validation chi2"), std::string::npos) << rows;
  EXPECT_EQ(rows.find("epoch 4/5"), std::string::npos) << rows;

  ToolOnTerminal failing(train("train.epochs=500 train.optimizer=sgd train.schedule=constant "
                               "train.learning_rate=1000"),
                         80);
  EXPECT_EQ(failing.finish(), 1);
  for (const std::string& row : failing.screens[1].rows())
    EXPECT_FALSE(row.starts_with("epoch ") || row.find("loss") < row.find("train: ")) << row;
}

// On a terminal the tools show what they do and leave the same text as in a file.
TEST_F(TerminalTest, OtherToolsShowTheirProgressAndLeaveTheSameText) {
  const std::string data = " --data " + path("mock.h5"), out = " --overwrite --out " + path("out");
  ASSERT_EQ(run(train("train.epochs=1")).status, 0);
  ASSERT_EQ(run("forest fit --trees 3" + data + " --out " + path("forest.h5")).status, 0);
  const std::string model = " --model " + path("forest.h5");
  std::ofstream table(path("halos.csv"));
  table << "x,y,z,vpeak\n";
  for (int i = 0; i < 200000; ++i) table << i % 75 << ",2.5,3.5,150\n";
  table.close();
  const std::pair<std::string, std::string> tools[] = {
      {"import table " + path("halos.csv") + " --box-size 75", "reading  [...."},
      {"import table " + path("mock.h5") + " --group halos", "reading columns  [...."},
      {"mock --box-size 75", "placing halos  [.."},
      {"predict --run " + path("run") + data, "predicting  [......"},
      {"evaluate --run " + path("run") + data, "scoring " + path("run")},
      {"forest fit --trees 40" + data, "growing trees  [.."},
      {"forest search --trees 20 --max-depth 5" + data, "growing trees  [.."},
      {"forest predict" + model + data, "predicting  [...."},
      {"forest importance" + model + data, "permuting columns  [...."}};
  const auto without_times = [](std::string text) {
    std::string plain;
    for (const char c : text)
      if (c != '\r' && (c < '0' || c > '9')) plain += c;
    return plain;
  };
  for (const auto& [command, shown] : tools) {
    ToolOnTerminal tool(command + out, 200);
    EXPECT_EQ(tool.finish(), 0) << command << tool.written;
    EXPECT_NE(tool.written.find(shown), std::string::npos) << command << " | " << tool.written;
    const std::string drawn = "\033[?7h\r";  // the end of a drawing; the next one, or a clear, begins with \r
    for (std::size_t at = 0; (at = tool.written.find(drawn, at)) != std::string::npos;)
      EXPECT_EQ(tool.written[at += drawn.size()], '\r') << command << " | " << tool.written;
    std::string left, in_file = run(command + out).output, plain;
    for (const std::string& row : tool.screens[1].rows()) left += row + "\n";
    std::istringstream lines(in_file);  // the screen has no blanks at the ends of rows
    for (std::string line; std::getline(lines, line);) {
      line.resize(line.find_last_not_of(' ') + 1);
      if (!line.starts_with("forest ")) plain += line + "\n";  // forest search counts its forests in a file
    }
    EXPECT_EQ(without_times(left), without_times(plain)) << command;
    EXPECT_EQ(in_file.find('\033'), std::string::npos) << command;
  }
}

// What a ReadingLine has printed on `out`.
std::string printed(std::FILE* out) {
  char text[256] = {};
  std::rewind(out);
  const std::size_t size = std::fread(text, 1, sizeof text, out);
  std::clearerr(out);
  return {text, size};
}

TEST(ReadingLine, IsPrintedOnlyIfReadingTakesLong) {
  const fs::path file = fs::path(testing::TempDir()) / ("umbra_reading_" + std::to_string(getpid()) + ".h5");
  std::ofstream(file) << "12345";
  fs::resize_file(file, 1'234'000'000);  // of blanks that take no room on the disk
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::tmpfile(), &std::fclose);
  { const ReadingLine fast(file, out.get(), std::chrono::hours(1)); }  // ends at once
  EXPECT_EQ(printed(out.get()), "");
  {
    const ReadingLine slow(file, out.get(), std::chrono::milliseconds(1));
    for (int i = 0; i < 5000 && fs::file_size("/proc/self/fd/" + std::to_string(fileno(out.get()))) == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(printed(out.get()), "reading " + file.string() + ": 1.2 GB\n");
  fs::remove(file);
}

}  // namespace
}  // namespace umbra

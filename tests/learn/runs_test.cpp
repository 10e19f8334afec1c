// Where `learn` writes, what it says is next, and what it says when it cannot or must wait.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/learn/course_test.h"
#include "tools/learn/common/run_record.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;
using testing_tools::Outcome;

class RunsTest : public CourseTest {
 protected:
  const std::string name = "01_linear_regression", folder = "learning/" + name;

  /// Runs the command that the last line of a run's output names.
  Outcome follow(const Outcome& run, const std::string& expected) const {
    EXPECT_EQ(run.status, 0) << run.output;
    EXPECT_TRUE(run.output.ends_with("\nnext: " + expected + "\n")) << run.output;
    return shell(expected);
  }
};

TEST_F(RunsTest, TheNextCommandWorksAsPrinted) {
  const Outcome changed = learn("run 01 batch=50");
  EXPECT_FALSE(fs::exists(folder_ / folder));
  EXPECT_HAS(follow(changed, "learn run 01 && learn diff 01").output, "\nsetting batch: 10 and 50\n");
  const std::string record = text(folder + "/run.json");
  EXPECT_HAS(follow(learn("run 01 batch=20"), "learn diff 01").output, "setting batch: 10 and 20\n");
  EXPECT_HAS(follow(learn("run --out 'my run' 01 batch=25"), "learn diff " + folder + " 'my run'").output,
             "setting batch: 10 and 25\n");
  EXPECT_EQ(text(folder + "/run.json"), record);
  EXPECT_TRUE(
      learn("run 01 --out=" + folder + " --overwrite").output.ends_with("learn page 01 --out site\n"));
}

TEST_F(RunsTest, DiffOfALessonComparesItsTwoRuns) {
  RunRecord run{name, {{"batch", "10", "points", "10"}}, {}, {{"loss", {2}, {3, 2}, {}}}, {}};
  EXPECT_EQ(learn("diff 01").output,
            "learn: lesson 01 has no run with default settings; learn run 01 makes it\n");
  fs::create_directories(folder_ / folder);
  write_run(folder_ / folder / "run.json", run);
  EXPECT_EQ(learn("diff 01").output,
            "learn: lesson 01 has no run with changed settings; learn run 01 KEY=VALUE makes it\n");
  EXPECT_EQ(learn("diff " + folder).output,
            "learn: '" + folder + "' is one run; diff compares two, or those of a lesson: learn diff 01\n");
  run.settings[0].value = "20";
  fs::create_directories(folder_ / (folder + ".changed"));
  write_run(folder_ / (folder + ".changed") / "run.json", run);
  const Outcome diff = learn("diff linear_regression");
  EXPECT_EQ(diff.status, 0);
  EXPECT_EQ(diff.output, "setting batch: 10 and 20\nall 2 numbers are the same bits\n");
}

TEST_F(RunsTest, WhatIsInTheWayIsNamedInOneLine) {
  write("file", "");
  write("learning/progress.json/x", "");
  const std::string progress =
      "learn: 'learning/progress.json' is a folder; the course needs a file of that name: move the folder away\n";
  EXPECT_EQ(learn("check 01").output, progress);
  EXPECT_EQ(learn("list").output, progress);
  EXPECT_EQ(learn("page 01 --out file").output,
            "learn: 'file' is a file; the page needs a folder of that name\n");
  EXPECT_EQ(learn("page 01 --out ''").output, "learn: --out: the name of a folder is expected\n");
  fs::remove_all(folder_ / "learning");
  write("learning", "");
  for (const char* command : {"list", "check 01", "run 01", "page 01", "hint 01", "watch 01"}) {
    const Outcome outcome = learn(command);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.output, "learn: 'learning' is a file; the course needs a folder of that name\n");
  }
}

// This process holds the lock of the build until all commands have said that they wait.
TEST_F(RunsTest, ACommandThatWaitsForABuildSaysSo) {
  const fs::path lessons = kPrograms;
  const int lock = ::open(lessons.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_GE(lock, 0);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  std::thread runs([&] {
    shell(
        "{ learn check 01 > check & learn run 01 --help > run & learn trace --help > trace & "
        "learn page 01 --out pages > page & wait; }");
  });
  const auto waits = [&](const char* command) {
    return text(command).starts_with("waiting for another command in ");
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  bool all = false;
  while (!all && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    all =
        waits("run") && waits("trace") && waits("page") && count(text("check"), "waiting for another ") == 1;
  }
  ::close(lock);
  runs.join();
  EXPECT_TRUE(all);
  EXPECT_HAS(text("check"), "exercises of lesson 01 pass");
}

}  // namespace
}  // namespace umbra::learn

// How a tool of several processes ends: what is printed, by one process, and its status.
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "engine/base/error.h"
#include "tests/fixtures/mpirun.h"

namespace umbra {
namespace {

using testing_tools::can_mpirun;
using testing_tools::mpirun;
using testing_tools::Outcome;

class Ended : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_mpirun()) GTEST_SKIP() << "this build has no mpirun of Open MPI";
  }
  // Processes have `seconds` to meet.
  void start(const std::string& mode, const std::string& seconds = "600") {
    outcome_ =
        mpirun(3, "env UMBRA_MEETING_TIMEOUT=" + seconds + " " UMBRA_BINARY_DIR "/tests/ended " + mode);
    std::istringstream in(outcome_.output);
    for (std::string line; std::getline(in, line);)
      if (line.starts_with("ended: ")) lines_.push_back(line.substr(7, line.find('\r') - 7));
  }
  Outcome outcome_;
  std::vector<std::string> lines_;
};

TEST_F(Ended, WorkOfOneProcessMayTakeLongerThanTheTimeOut) {
  start("slow");
  EXPECT_EQ(outcome_.status, 0) << outcome_.output;
  EXPECT_EQ(lines_, std::vector<std::string>{"done"}) << outcome_.output;
}

TEST_F(Ended, AnErrorIsPrintedWhereTheProcessThatShouldPrintItIsBusy) {
  const auto begin = std::chrono::steady_clock::now();
  start("busy");
  EXPECT_EQ(outcome_.status, 1) << outcome_.output;
  ASSERT_EQ(lines_.size(), 1U) << outcome_.output;
  EXPECT_TRUE(lines_[0].starts_with("rank 2 on ")) << outcome_.output;
  EXPECT_TRUE(lines_[0].ends_with(": galaxies.h5: no such file")) << outcome_.output;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(5));
}

TEST_F(Ended, AProcessThatNeverComesIsNotWaitedForWithoutEnd) {
  start("absent", "1");
  EXPECT_EQ(outcome_.status, 1) << outcome_.output;
  // Rank 1 waits for two seconds and rank 2 for three, each from its own start: mpirun may end either before it prints.
  ASSERT_GE(lines_.size(), 1U) << outcome_.output;
  const int rank = lines_[0].starts_with("rank 1 ") ? 1 : 2;
  EXPECT_EQ(
      lines_[0],
      concat("rank ", rank, " has waited ", rank + 1,
             " s for the 3 processes that mpirun started: one of them does not run ended, has not started "
             "yet or cannot be reached; UMBRA_MEETING_TIMEOUT sets another number of seconds"));
}

TEST_F(Ended, ATimeToMeetThatIsNoNumberIsPrintedOnce) {
  start("stopped", "1h");
  EXPECT_EQ(outcome_.status, 1) << outcome_.output;
  EXPECT_EQ(
      lines_,
      std::vector<std::string>{"UMBRA_MEETING_TIMEOUT=1h: expected a whole number of seconds, at least 1"})
      << outcome_.output;
}

TEST_F(Ended, AStopIsPrintedBeforeAnyProcessEnds) {
  start("stopped");
  EXPECT_EQ(outcome_.status, 143) << outcome_.output;
  EXPECT_EQ(lines_, std::vector<std::string>{"stopped by a signal"}) << outcome_.output;
}

}  // namespace
}  // namespace umbra

// trace as a user runs it: text, files, and one node at a time on a terminal.
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fixtures/folder_test.h"
#include "tests/fixtures/run_tool.h"

namespace umbra::learn {
namespace {

using testing_tools::Outcome;

const std::string kTrace = UMBRA_BINARY_DIR "/lessons/trace ";
const std::string kSmall = "mlp model.hidden=[3] input=[2] outputs=2 model.batch_norm=false ";

class TraceTool : public FolderTest {
 protected:
  Outcome trace(const std::string& words) const {
    return testing_tools::run("cd '" + folder_.string() + "' && " + kTrace + words);
  }
};

TEST_F(TraceTool, ShowsForwardAndBackwardOfEveryNode) {
  const Outcome run = trace(kSmall);
  EXPECT_EQ(run.status, 0);
  for (const char* part :
       {"fc1.weight [3, 2]", "loss = ", "upstream d loss/d n3 [4, 2]", " × ", "through n3["})
    EXPECT_NE(run.output.find(part), std::string::npos) << run.output;
  EXPECT_LT(run.output.find("n4  mean_squared_error"), run.output.rfind("n4  mean_squared_error"));
  EXPECT_EQ(run.output, trace(kSmall).output);
  EXPECT_NE(run.output, trace(kSmall + "seed=2").output);
}

TEST_F(TraceTool, OneStepAndAChangedWeight) {
  const Outcome step = trace(kSmall + "--step 1"),
                change = trace(kSmall + "'--perturb' 'fc2.weight[1,2]=0.01'");
  EXPECT_EQ(step.status, 0);
  EXPECT_NE(step.output.find("kept for the backward pass: nothing but the inputs"), std::string::npos)
      << step.output;
  EXPECT_EQ(step.output.find("mean_squared_error"), std::string::npos);
  EXPECT_EQ(change.status, 0);
  EXPECT_NE(change.output.find("predicted: gradient × change = "), std::string::npos) << change.output;
  EXPECT_NE(change.output.find("n2  relu                  does not move"), std::string::npos)
      << change.output;
}

// A kernel of 3³ on a volume of 1³: 26 of its 27 taps only meet padding.
TEST_F(TraceTool, AWeightThatOnlyMeetsPaddingMovesNobody) {
  const std::string weight = "um_resnet model.channels=4 --perturb layer3.1.conv1.weight";
  const Outcome dead = trace(weight + "[0,0,0,0,0]=0.5"), live = trace(weight + "[0,0,1,1,1]=0.5");
  EXPECT_NE(dead.output.find("the loss changes by 0; predicted: gradient × change = 0 × 0.5 = 0\n"),
            std::string::npos)
      << dead.output;
  EXPECT_EQ(dead.output.find(" move "), std::string::npos) << dead.output;
  EXPECT_NE(live.output.find(" move "), std::string::npos) << live.output;
}

TEST_F(TraceTool, FilesAreWrittenAndNotReplacedUnasked) {
  EXPECT_EQ(trace(kSmall + "--svg graph.svg --dot graph.dot").status, 0);
  EXPECT_TRUE(testing_tools::bytes(folder_ / "graph.svg").starts_with("<svg "));
  EXPECT_TRUE(testing_tools::bytes(folder_ / "graph.dot").starts_with("digraph "));
  const Outcome again = trace(kSmall + "--dot graph.dot");
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(again.output, "trace: cannot write 'graph.dot': it exists; --overwrite replaces it\n");
  EXPECT_EQ(trace(kSmall + "--dot graph.dot --overwrite").status, 0);
}

TEST_F(TraceTool, WrongWordsAreOneLine) {
  for (const char* words :
       {"", "vgg", "mlp --svgg x", "mlp batch=0", "mlp model.channels=4", "mlp --step 99", "mlp --step 0",
        "mlp --perturb fc9.weight[0]=1", "um_resnet input=[1,5,5,4]", "um_resnet --channels 4", "mlp batch=1",
        "mlp extra", "mlp input=[1,2,3,4,5,6]", "mlp --svg no/such/folder.svg"}) {
    const Outcome run = trace(words);
    EXPECT_TRUE(run.status == 1 || run.status == 2) << words;
    EXPECT_TRUE(run.output.starts_with("trace: ")) << words << run.output;
    EXPECT_EQ(run.output.find('\n'), run.output.size() - 1) << words << run.output;
  }
}

TEST_F(TraceTool, OneNodeAtATimeOnATerminal) {
  int terminal = -1;
  const pid_t process = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (process == 0) {
    const std::string line = "exec " + kTrace + kSmall + "--interactive";
    ::execl("/bin/bash", "bash", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  std::string written;
  char buffer[4096];
  const auto read_until = [&](const std::string& text) {
    while (written.find(text) == std::string::npos) {
      const ssize_t got = ::read(terminal, buffer, sizeof buffer);
      if (got <= 0) break;
      written.append(buffer, static_cast<std::size_t>(got));
    }
    EXPECT_NE(written.find(text), std::string::npos) << written;
  };
  const auto type = [&](const std::string& line, const std::string& answer) {
    written.clear();
    ASSERT_EQ(::write(terminal, (line + "\n").c_str(), line.size() + 1),
              static_cast<ssize_t>(line.size() + 1));
    read_until(answer);
    read_until("number of a node: ");
  };
  read_until("forward, 1 of 4");
  read_until("number of a node: ");
  type("n", "forward, 2 of 4");
  type("p", "forward, 1 of 4");
  type("4", "forward, 4 of 4");
  type("", "backward, 1 of 4");
  type("d", "limit of rounding");
  type("what", "'what' is not one of these");
  ASSERT_EQ(::write(terminal, "q\n", 2), 2);
  while (::read(terminal, buffer, sizeof buffer) > 0) continue;
  int status = -1;
  ::waitpid(process, &status, 0);
  ::close(terminal);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

// Lines may also come from a file; its end ends the walk.
TEST_F(TraceTool, TheEndOfTheInputEndsTheWalk) {
  const Outcome run = trace(kSmall + "--interactive < <(yes n | head -3)"),
                all = trace(kSmall + "--interactive < <(yes n)");
  EXPECT_EQ(run.status, 0);
  EXPECT_NE(run.output.find("forward, 4 of 4"), std::string::npos) << run.output;
  EXPECT_EQ(run.output.find("backward, "), std::string::npos) << run.output;
  EXPECT_EQ(all.status, 0);
  EXPECT_NE(all.output.find("backward, 4 of 4"), std::string::npos) << all.output;
}

}  // namespace
}  // namespace umbra::learn

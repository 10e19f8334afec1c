// train in several processes, as a user starts it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <vector>

#include "engine/io/checkpoint.h"
#include "tests/fixtures/mpirun.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::can_mpirun;
using testing_tools::mpirun;
using testing_tools::Outcome;
using testing_tools::run;

class ParallelTools : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    const Outcome made = run("mock --out " + path("mock.h5") + " --box-size 75 --seed 3 && mock --out " +
                             path("other.h5") + " --box-size 75 --seed 4");
    ASSERT_EQ(made.status, 0) << made.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  void SetUp() override {
    if (!can_mpirun()) GTEST_SKIP() << "this build has no mpirun of Open MPI";
  }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_parallel_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string train(const std::string& out, const std::string& more = "") {
    return "train --data " + path("mock.h5") + " --out " + path(out) + " model.channels=4 train.batch=8 " +
           more;
  }

  static std::string resume(const std::string& out, const std::string& more = "") {
    return "train --data " + path("mock.h5") + " --out " + path(out) + " --resume " + more;
  }

  // The rows of metrics.csv without the seconds.
  static std::vector<std::vector<std::string>> metrics(const std::string& run) {
    std::ifstream in(path(run) + "/metrics.csv");
    std::vector<std::vector<std::string>> rows;
    for (std::string line, cell; std::getline(in, line);) {
      std::istringstream cells(line);
      rows.emplace_back();
      while (std::getline(cells, cell, ',')) rows.back().push_back(cell);
      rows.back().pop_back();
    }
    return rows;
  }
  static void expect_same_runs(const std::string& a, const std::string& b) {
    for (const char* file : {"last.h5", "best.safetensors", "config.toml", "baselines.json"})
      EXPECT_TRUE(bytes(path(a) + "/" + file) == bytes(path(b) + "/" + file)) << file;
    EXPECT_EQ(metrics(a), metrics(b));
  }
  // Lines of the output that train itself wrote to standard error.
  static std::vector<std::string> errors(const Outcome& outcome) {
    std::vector<std::string> lines;
    std::istringstream in(outcome.output);
    for (std::string line; std::getline(in, line);)
      if (line.starts_with("train: ")) lines.push_back(line);
    return lines;
  }
};

TEST_F(ParallelTools, TheLossesAreThoseOfOneProcessAndARunIsRepeatedBitForBit) {
  const std::string settings = "train.epochs=2 train.sync_batch_norm=true";
  ASSERT_EQ(run(train("one", settings)).status, 0);
  const auto one = metrics("one");
  ASSERT_EQ(one.size(), 7U);
  for (const int processes : {2, 4}) {
    const std::string name = "in" + std::to_string(processes);
    const Outcome outcome = mpirun(processes, train(name, settings));
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    const auto several = metrics(name);
    ASSERT_EQ(several.size(), one.size());
    for (std::size_t row = 1; row < one.size(); ++row) {
      if (one[row][2] != "train") continue;
      const double a = std::stod(one[row][3]), b = std::stod(several[row][3]);
      const double bound = one[row][1] == "1" ? 1e-6 : 2e-5;  // the first step starts from the same weights
      EXPECT_LE(std::abs(a - b), bound * a) << "step " << one[row][1] << " in " << processes << " processes";
    }
    // The first process alone prints and writes.
    const std::string text = outcome.output;
    EXPECT_EQ(text.find("best validation"), text.rfind("best validation")) << text;
  }
  ASSERT_EQ(mpirun(4, train("in4again", settings)).status, 0);
  expect_same_runs("in4", "in4again");
  EXPECT_TRUE(bytes(path("in4/best.h5")) == bytes(path("in4again/best.h5")));
}

// UMBRA_KILLS=10 kills at ten random moments instead of one.
TEST_F(ParallelTools, ARunContinuesAfterTheDeathOfAProcessAsIfNothingHadHappened) {
  const std::string settings = "train.schedule=constant train.checkpoint_steps=1 ";
  const char* const wanted = std::getenv("UMBRA_KILLS");
  std::mt19937 random(std::random_device{}());
  for (int kill = wanted == nullptr ? 1 : std::atoi(wanted); kill > 0; --kill) {
    const std::string name = concat("killed", kill), whole = concat("whole", kill);
    const int rank = static_cast<int>(random() % 2), milliseconds = static_cast<int>(random() % 400);
    const std::string killed = train(name, settings + "train.epochs=400");
    // Once a step has been done.
    const Outcome ended =
        mpirun(2, concat("bash -c \"[ \\$OMPI_COMM_WORLD_RANK = ", rank, " ] && (until [ -s ", path(name),
                         "/last.h5 ]; do sleep 0.02; done; sleep ", 1e-3 * milliseconds,
                         "; kill -KILL \\$\\$) & exec ", killed, "\""));
    EXPECT_NE(ended.status, 0);
    EXPECT_NE(ended.output.find(concat("process rank ", rank)), std::string::npos)
        << ended.output;  // by mpirun
    EXPECT_FALSE(fs::exists(path(name) + "/best.safetensors")) << ended.output;
    // An epoch has two steps. One more is trained.
    const std::int64_t step = read_checkpoint_info(path(name) + "/last.h5").step;
    const std::string epochs = concat("train.epochs=", step / 2 + 1);
    std::cout << "rank " << rank << " was killed; the last checkpoint is of step " << step << '\n';
    const Outcome resumed = mpirun(2, resume(name, epochs));
    ASSERT_EQ(resumed.status, 0) << resumed.output;
    ASSERT_EQ(mpirun(2, train(whole, settings + epochs)).status, 0);
    expect_same_runs(whole, name);
  }
}

TEST_F(ParallelTools, ACheckpointIsReadByAnyNumberOfProcesses) {
  const std::string settings = "train.epochs=2 train.schedule=constant train.sync_batch_norm=true";
  ASSERT_EQ(mpirun(3, train("of_three", settings)).status, 0);
  fs::copy(path("of_three"), path("of_three_too"), fs::copy_options::recursive);
  const Outcome two = mpirun(2, resume("of_three", "train.epochs=4"));
  ASSERT_EQ(two.status, 0) << two.output;
  const Outcome one = run(resume("of_three_too", "train.epochs=4"));
  ASSERT_EQ(one.status, 0) << one.output;
  const auto a = metrics("of_three"), b = metrics("of_three_too");
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t row = 1; row < a.size(); ++row) {
    if (a[row][2] != "train") continue;
    EXPECT_LE(std::abs(std::stod(a[row][3]) - std::stod(b[row][3])), 1e-3 * std::stod(b[row][3]));
  }
}

TEST_F(ParallelTools, ASignalToOneProcessStopsAllWithACheckpoint) {
  const std::string settings = "train.epochs=400";
  const Outcome stopped =
      mpirun(2, "bash -c \"[ \\$OMPI_COMM_WORLD_RANK = 1 ] && (until [ -s " + path("stopped") +
                    "/metrics.csv ]; do sleep 0.05; done; sleep 0.1; kill -TERM \\$\\$) & exec " +
                    train("stopped", settings) + "\"");
  EXPECT_NE(stopped.status, 0);
  ASSERT_EQ(errors(stopped).size(), 1U) << stopped.output;
  const std::int64_t step = read_checkpoint_info(path("stopped") + "/last.h5").step;
  EXPECT_TRUE(errors(stopped)[0].starts_with(concat("train: stopped by a signal after step ", step, ";")))
      << stopped.output;
  EXPECT_NE(errors(stopped)[0].find("--resume"), std::string::npos);
  EXPECT_GT(step, 0);
}

TEST_F(ParallelTools, AnEnsembleThatMemorisesABatchIsThatOfOneProcess) {
  const std::string settings = "train.seeds=2 train.epochs=2 train.sync_batch_norm=true --overfit";
  const Outcome one = run(train("ensemble1", settings)), two = mpirun(2, train("ensemble2", settings));
  ASSERT_EQ(one.status, 0) << one.output;
  ASSERT_EQ(two.status, 0) << two.output;
  EXPECT_NE(two.output.find("of 2 seeds"), std::string::npos) << two.output;
  for (const std::string member : {"/seed-1", "/seed-2"}) {
    const auto a = metrics("ensemble1" + member), b = metrics("ensemble2" + member);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t row = 1; row < a.size(); ++row) {
      if (a[row][2] != "train") continue;
      const double bound = a[row][1] == "1" ? 1e-6 : 1e-3;
      EXPECT_LE(std::abs(std::stod(a[row][3]) - std::stod(b[row][3])), bound * std::stod(a[row][3]));
    }
  }
}

TEST_F(ParallelTools, AForestOfSeveralProcessesIsThatOfOneByteForByte) {
  const auto fit = [](const std::string& name) {
    return "forest fit --data " + path("mock.h5") + " --out " + path(name) + " --trees 7";
  };
  // The scores: what is printed without the time and the name of the file.
  const auto scores = [](const std::string& output) {
    const std::size_t begin = output.find("out of bag"), end = output.find("wrote ");
    return output.substr(begin, end - begin);
  };
  const Outcome one = run(fit("forest1.h5"));
  ASSERT_EQ(one.status, 0) << one.output;
  EXPECT_NE(scores(one.output).find("left out"), std::string::npos) << one.output;
  const Outcome several = mpirun(3, fit("forest3.h5"));
  ASSERT_EQ(several.status, 0) << several.output;
  EXPECT_TRUE(bytes(path("forest3.h5")) == bytes(path("forest1.h5")));
  std::string printed = scores(several.output);
  printed.erase(std::remove(printed.begin(), printed.end(), '\r'), printed.end());  // of mpirun's terminal
  EXPECT_EQ(printed, scores(one.output));
}

TEST_F(ParallelTools, ErrorsArePrintedOnce) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {train("bad", "train.batch=5"),
       "train.batch=5 is less than two training boxes for each of 3 processes; use at "
       "most 2 processes or a larger train.batch"},
      {train("bad", "train.optimizer=none"), "train.optimizer"},
      {train("bad", "--epochs 2"), "train.epochs=2"},
      {train("bad") + " : -np 1 " + train("bad", "--epochs 2"), "train.epochs=2"},
      {train("bad") + " : -np 1 " + train("bad", "train.seed=2"), " has train.seed=2 where rank 0 on "},
      {train("bad") + " : -np 1 train --data " + path("other.h5") + " --out " + path("bad") +
           " model.channels=4 train.batch=8",
       "mock.h5: the data of rank 3 on "},
  };
  for (const auto& [command, words] : cases) {
    const Outcome outcome = mpirun(3, command);
    EXPECT_NE(outcome.status, 0);
    ASSERT_EQ(errors(outcome).size(), 1U) << command << "\n" << outcome.output;
    EXPECT_NE(errors(outcome)[0].find(words), std::string::npos) << outcome.output;
    EXPECT_EQ(errors(outcome)[0].find("train: rank"), std::string::npos)
        << outcome.output;  // all have the same error
    EXPECT_FALSE(fs::exists(path("bad"))) << outcome.output;
  }
}

}  // namespace
}  // namespace umbra

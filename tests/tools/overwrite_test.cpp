// An output that exists is refused by every tool, and replaced with --overwrite.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

// A universe of 27 sub-boxes, a run and a forest of it.
class OverwriteTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    ASSERT_EQ(run("mock --box-size 75 --seed 3 --out " + path("mock.h5")).status, 0);
    ASSERT_EQ(run(train("run")).status, 0);
    ASSERT_EQ(run("forest fit --trees 3 --data " + path("mock.h5") + " --out " + path("forest.h5")).status,
              0);
    std::ofstream(folder() / "t.csv") << "X,Y,Z,Vpeak\n1,2,3,200\n";
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_overwrite_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string train(const std::string& out, const std::string& more = "") {
    return "train --data " + path("mock.h5") + " --out " + path(out) +
           " model.channels=2 train.batch=4 train.epochs=2 " + more;
  }
  static void expect_refused(const std::string& command, const std::vector<std::string>& words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 1) << command << "\n" << outcome.output;
    EXPECT_EQ(testing_tools::line_count(outcome.output), 1) << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << " | " << outcome.output;
  }
  static void expect_done(const std::string& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
  }
};

TEST_F(OverwriteTest, EveryToolRefusesAFileThatExistsAndReplacesItOnRequest) {
  const std::string data = " --data " + path("mock.h5"), model = " --model " + path("forest.h5");
  const std::string commands[] = {"mock --box-size 50",
                                  "import umml-csv " + path("t.csv"),
                                  "predict --run " + path("run") + data,
                                  "evaluate --run " + path("run") + data,
                                  "forest fit --trees 2" + data,
                                  "forest search --trees 2 --max-depth 3 --score oob" + data,
                                  "forest predict" + model + data,
                                  "forest importance --trees 2" + model + data,
                                  "forest export" + model};
  for (const std::string& command : commands) {
    const std::string file = path("out"),
                      refused = "cannot write '" + file + "': it exists; --overwrite replaces it";
    std::ofstream(file) << "mine";
    expect_refused(command + " --out " + file, {refused});
    EXPECT_EQ(bytes(file), "mine") << command;
    expect_done(command + " --overwrite --out " + file);
    const std::string first = bytes(file);
    EXPECT_GT(first.size(), 100U) << command;
    expect_refused(command + " --out " + file, {refused});
    EXPECT_TRUE(bytes(file) == first) << command;
  }
  expect_refused("mock --box-size 50 --overwrite --out /dev/null", {"/dev/null", "not a regular file"});
  expect_refused("forest export --overwrite" + model + " --out " + path("forest.h5"), {"would be lost"});
}

TEST_F(OverwriteTest, ARunIsReplacedFileByFile) {
  expect_done(train("again"));
  const std::string last = bytes(folder() / "again/last.h5"), notes = "my notes";
  std::ofstream(folder() / "again/notes.txt") << notes;
  expect_refused(train("again"), {"/again: this folder already holds a run", "--resume", "--overwrite"});
  expect_refused(train("again", "--overwrite --weights " + path("again/best.safetensors")),
                 {"would be lost"});
  expect_refused(train("again", "--overwrite train.batch=1000"), {"train.batch"});
  EXPECT_TRUE(bytes(folder() / "again/last.h5") == last);
  EXPECT_EQ(run(train("again", "--overwrite --resume")).status, 2);
  expect_done(train("again", "--overwrite train.seed=2"));
  expect_done(train("new", "train.seed=2"));
  for (const char* name : {"config.toml", "last.h5", "best.h5", "best.safetensors"})
    EXPECT_TRUE(bytes(folder() / "again" / name) == bytes(folder() / "new" / name)) << name;
  EXPECT_EQ(bytes(folder() / "again/notes.txt"), notes);
  expect_done(train("fresh", "--overwrite"));  // nothing to replace
}

// A run that ends before its first validation has no best network, and must not show that of the run before.
TEST_F(OverwriteTest, TheBestOfTheOldRunIsNotTakenForThatOfTheNew) {
  expect_done(train("diverged"));
  fs::rename(folder() / "diverged/best.h5", folder() / "elsewhere.h5");
  fs::create_symlink("../elsewhere.h5", folder() / "diverged/best.h5");
  const Outcome diverged = run(
      train("diverged", "--overwrite train.optimizer=sgd train.schedule=constant train.learning_rate=1000"));
  EXPECT_EQ(diverged.status, 1) << diverged.output;
  EXPECT_NE(diverged.output.find("training stopped at step"), std::string::npos) << diverged.output;
  EXPECT_NE(bytes(folder() / "diverged/config.toml").find("learning_rate = 1000"), std::string::npos);
  EXPECT_TRUE(fs::is_symlink(folder() / "diverged/best.h5"));
  EXPECT_FALSE(fs::exists(folder() / "elsewhere.h5"));
  EXPECT_FALSE(fs::exists(folder() / "diverged/best.safetensors"));
}

TEST_F(OverwriteTest, FilesThatAreNoRunStay) {
  fs::create_directories(folder() / "mine");
  for (const char* name : {"best.h5", "last.h5"}) {
    std::ofstream(folder() / "mine" / name) << "mine";
    expect_refused(train("mine", "--overwrite"), {name});
    EXPECT_EQ(bytes(folder() / "mine" / name), "mine");
  }
}

}  // namespace
}  // namespace umbra

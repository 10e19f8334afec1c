// Checkpoints are written by another thread: what they contain, what becomes of errors, and of a process that is killed
// meanwhile.
#include "engine/train/checkpointer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "engine/io/hdf5.h"
#include "engine/nn/layers.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

// A checkpoint of it has 12 MB.
struct Learner {
  Build build{};
  Linear net{build, 1024, 1024};
  std::unique_ptr<Optimizer> optimizer = make_adam(net.parameters(), {});
  Stream stream{Device{}};

  void fill(double number) {
    for (const auto& state : {net.state(), optimizer->state()})
      for (const NamedTensor& named : state)
        from_host(std::vector<double>(static_cast<std::size_t>(named.tensor.count()), number), named.tensor,
                  stream);
  }
};

class CheckpointerTest : public FileTest {
 protected:
  Checkpointer checkpointer(const CheckpointInfo& info = {}) {
    return {folder_, learner_.stream, learner_.net, *learner_.optimizer, info, 0, [] { return false; }};
  }
  // Whether all numbers of a group are this one.
  bool holds(const std::string& name, const std::string& group, float number) {
    const Hdf5File file = Hdf5File::open(path(name));
    bool all = true;
    for (const Hdf5Entry& entry : file.list(group))
      for (const float value : file.read<float>(group + "/" + entry.name)) all = all && value == number;
    return all;
  }
  Learner learner_;
};

TEST_F(CheckpointerTest, BothFilesHaveTheStateAtTheEndOfTheirStep) {
  Checkpointer keeper = checkpointer();
  for (int step = 1; step <= 4; ++step) {
    learner_.fill(step);
    if (step == 2 || step == 4) keeper.on_validation({.step = step, .metric = step == 2 ? 3.0 : 4.0});
    keeper.on_step_done({.step = step}, true);
    EXPECT_EQ(keeper.info().step, step);
  }
  learner_.fill(5);  // training continues while step 4 is written
  keeper.on_end();
  for (const char* group : {"model", "optimizer"}) EXPECT_TRUE(holds("last.h5", group, 4)) << group;
  EXPECT_TRUE(holds("best.h5", "model", 2));
  EXPECT_EQ(read_checkpoint_info(path("last.h5")).step, 4);
  const CheckpointInfo best = read_checkpoint_info(path("best.h5"));
  EXPECT_EQ(best.step, 2);
  EXPECT_EQ(best.best_step, 2);
  EXPECT_EQ(best.best_metric, 3);
}

TEST_F(CheckpointerTest, WhatCannotBeWrittenIsTheSentenceOfALaterCall) {
  Checkpointer keeper = checkpointer();
  const auto fails = [&](const auto& call) {
    fs::remove_all(folder_);
    EXPECT_NO_THROW(keeper.on_step_done({.step = 1}, true));
    expect_message(call, {"cannot write", path("last.h5").string(), "does not exist"});
    EXPECT_NO_THROW(keeper.on_end()) << "it is reported once";
    EXPECT_NO_THROW(keeper.on_step({}));
  };
  fails([&] { keeper.on_end(); });
  fails([&] { keeper.on_step_done({.step = 2}, true); });
  fails([&] {
    for (int step = 0; step < 10'000; ++step) {
      keeper.on_step({});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  fs::create_directories(folder_);
  keeper.on_step_done({.step = 3}, true);
  keeper.on_end();
  EXPECT_EQ(read_checkpoint_info(path("last.h5")).step, 3);
}

TEST_F(CheckpointerTest, AnErrorOfTrainingLeavesAWholeFile) {
  {
    Checkpointer keeper = checkpointer();
    learner_.fill(1);
    keeper.on_step_done({.step = 1}, true);
  }
  EXPECT_TRUE(holds("last.h5", "optimizer", 1));
  EXPECT_EQ(entries(), 1U);
}

// SIGKILL while the temporary file of the second checkpoint exists. On a busy machine the write may be over before the kill:
// then it is tried again.
TEST_F(CheckpointerTest, AKillDuringAWriteLeavesTheCheckpointBefore) {
  const auto end = [&] {
    const auto begin = std::chrono::steady_clock::now();
    while (entries() < 2)
      if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(10)) ::_exit(1);
    ::raise(SIGKILL);
  };
  for (int attempt = 0; attempt < 20 && entries() < 2; ++attempt) {
    const pid_t killed = ::fork();
    if (killed == 0) {
      Checkpointer keeper = checkpointer();
      learner_.fill(1);
      keeper.on_step_done({.step = 1}, true);
      keeper.on_end();
      learner_.fill(2);
      keeper.on_step_done({.step = 2}, true);
      end();
    }
    int status = 0;
    ::waitpid(killed, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  ASSERT_EQ(entries(), 2U) << "every write was over before the kill";
  EXPECT_EQ(read_checkpoint_info(path("last.h5")).step, 1);
  Learner resumed;
  load_checkpoint(path("last.h5"), resumed.net.state(), resumed.optimizer->state());
  for (const NamedTensor& named : resumed.optimizer->state())
    for (const double number : to_host(named.tensor, resumed.stream)) ASSERT_EQ(number, 1) << named.name;
}

}  // namespace
}  // namespace umbra

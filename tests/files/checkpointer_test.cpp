// Checkpoints are written by another thread: what they contain, what becomes of errors, and of a process that is killed
// meanwhile.
#include "engine/train/checkpointer.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "engine/io/hdf5.h"
#include "engine/io/hdf5_internal.h"
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
    if (step < 4) keeper.on_end();
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

// The turn in HDF5 is the test's: a write does not end.
TEST_F(CheckpointerTest, TrainingDoesNotWaitForAWriteAndLosesNoBetterNetwork) {
  Checkpointer keeper = checkpointer();
  const auto end_step = [&](int step, double metric) {
    learner_.fill(step);
    keeper.on_validation({.step = step, .metric = metric});
    keeper.on_step_done({.step = step}, true);
  };
  const auto until_both_are = [&](std::int64_t step) {
    const auto is = [&](const char* name) {
      return fs::exists(path(name)) && read_checkpoint_info(path(name)).step == step;
    };
    for (int call = 0; call < 10'000; ++call) {
      keeper.on_step({});
      if (is("last.h5") && is("best.h5")) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  };
  {
    const auto turn = hdf5::take_turn();
    const double metrics[] = {9, 10, 7, 8, 5, 6};  // better: 1, 3, 5
    for (int step = 1; step <= 6; ++step) end_step(step, metrics[step - 1]);
    EXPECT_EQ(keeper.info().step, 6);
    EXPECT_EQ(keeper.info().best_step, 5);
  }
  ASSERT_TRUE(until_both_are(5)) << "the newest better one, of which nothing is lost by a kill";
  EXPECT_TRUE(holds("best.h5", "model", 5));
  {
    const auto turn = hdf5::take_turn();
    for (int step = 7; step <= 9; ++step) end_step(step, 11 - step);
  }
  keeper.on_end();
  EXPECT_TRUE(holds("best.h5", "model", 9));
  for (const char* group : {"model", "optimizer"}) EXPECT_TRUE(holds("last.h5", group, 9)) << group;
  EXPECT_EQ(read_checkpoint_info(path("last.h5")).best_step, 9);
}

TEST_F(CheckpointerTest, TheEndWritesWhatWasLeftOutAndAnErrorOfTrainingTheBestNetwork) {
  for (const bool error : {false, true}) {
    {
      Checkpointer keeper = checkpointer();
      {
        const auto turn = hdf5::take_turn();
        for (int step = 1; step <= 3; ++step) {
          learner_.fill(step);
          if (step == 2) keeper.on_validation({.step = step, .metric = 1});
          keeper.on_step_done({.step = step}, true);
        }
      }
      if (!error) keeper.on_end();
    }
    EXPECT_TRUE(holds("best.h5", "model", 2));
    EXPECT_TRUE(holds("last.h5", "optimizer", error ? 2 : 3));
    EXPECT_EQ(read_checkpoint_info(path("last.h5")).step, error ? 2 : 3);
  }
}

// Two copies of 12 MB: where there is no room for them, training does not begin.
TEST_F(CheckpointerTest, TakesItsMemoryBeforeTheFirstStep) {
  if (!std::string_view(UMBRA_SANITIZER).empty()) GTEST_SKIP() << "a sanitizer allocates by itself";
  const auto allocated = [] {
    const struct mallinfo2 heap = ::mallinfo2();
    return heap.uordblks + heap.hblkhd;
  };
  const std::size_t before = allocated();
  const Checkpointer keeper = checkpointer();
  EXPECT_GE(allocated() - before, std::size_t{2 * 12} << 20);
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
  fails([&] {
    for (int call = 0; call < 10'000; ++call) {
      keeper.on_step_done({.step = 1}, true);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
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

// SIGKILL while the temporary file of the second checkpoint exists. On a busy machine the write may be over before the kill,
// or before the first look at the folder: then it is tried again.
TEST_F(CheckpointerTest, AKillDuringAWriteLeavesTheCheckpointBefore) {
  const auto end = [&] {
    const auto begin = std::chrono::steady_clock::now();
    while (entries() < 2)
      if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(1)) break;
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

// SIGKILL between a better network and the last.h5 that knows of it, or right after that.
TEST_F(CheckpointerTest, AKillLeavesTheBestNetworkUpToTheCheckpoint) {
  const auto better = [&](Checkpointer& keeper, int step) {
    learner_.fill(step);
    keeper.on_validation({.step = step, .metric = 10.0 - step});
    keeper.on_step_done({.step = step}, true);
  };
  bool seen = false;
  for (int attempt = 0; attempt < 20 && !seen; ++attempt) {
    const pid_t killed = ::fork();
    if (killed == 0) {
      Checkpointer keeper = checkpointer();
      better(keeper, 1);
      keeper.on_end();
      better(keeper, 2);
      while (!fs::exists(next_best(folder_)) && read_checkpoint_info(path("last.h5")).step == 1) continue;
      ::raise(SIGKILL);
    }
    int status = 0;
    ::waitpid(killed, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    seen = fs::exists(next_best(folder_));
  }
  ASSERT_TRUE(seen) << "every write was over before the kill";
  const CheckpointInfo last = read_checkpoint_info(path("last.h5"));
  EXPECT_TRUE(has_best(folder_, last));
  checkpointer(last);
  EXPECT_FALSE(fs::exists(next_best(folder_)));
  EXPECT_EQ(read_checkpoint_info(path("best.h5")).step, last.best_step);
  EXPECT_EQ(last.best_step, last.step);
}

TEST_F(CheckpointerTest, OnlyANetworkThatTheCheckpointKnowsOfBecomesTheBestOne) {
  const auto write = [&](const fs::path& file, int step) {
    CheckpointInfo info;
    info.step = step;
    write_checkpoint(file, info, learner_.net.state(), {});
  };
  CheckpointInfo last;
  last.has_best = true;
  last.step = 9, last.best_step = 8;
  write(next_best(folder_), 8);
  EXPECT_TRUE(has_best(folder_, last));
  checkpointer(last);
  EXPECT_EQ(read_checkpoint_info(path("best.h5")).step, 8);
  write(next_best(folder_), 12);
  checkpointer(last);
  EXPECT_EQ(read_checkpoint_info(path("best.h5")).step, 8);
  EXPECT_EQ(entries(), 1U);
  checkpointer(last);
  EXPECT_EQ(read_checkpoint_info(path("best.h5")).step, 8);
}

}  // namespace
}  // namespace umbra

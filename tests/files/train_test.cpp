// The training loop on a small problem: order, determinism, resuming, files, and the explanation of a NaN.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "engine/cpu/parallel.h"
#include "engine/io/hdf5.h"
#include "engine/nn/layers.h"
#include "engine/train/early_stopping.h"
#include "engine/train/metrics_log.h"
#include "engine/train/profile.h"
#include "engine/train/trainer.h"
#include "tests/fixtures/toy_training.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

struct TrainTest : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("umbra_train_" + std::to_string(getpid()));
  void SetUp() override { fs::remove_all(folder), fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }
};

TEST(Permutation, IsAPermutationOfItsOwnForEverySeedAndEpoch) {
  std::set<std::vector<std::int64_t>> seen;
  for (std::uint64_t seed : {1U, 2U}) {
    for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
      std::vector<std::int64_t> order = permutation(100, seed, epoch);
      EXPECT_EQ(order, permutation(100, seed, epoch));
      seen.insert(order);
      std::sort(order.begin(), order.end());
      for (std::int64_t i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
    }
  }
  EXPECT_EQ(seen.size(), 8U);
}

TEST(Loader, AnEpochVisitsEverySampleOnce) {
  Session s;
  EXPECT_EQ(s.training.batches_per_epoch(), 4);
  EXPECT_EQ(s.validation.batches_per_epoch(), 5);
  std::multiset<std::int64_t> seen;
  for (std::int64_t step = 0; step < 5; ++step) {
    const Batch batch = s.validation.load(s.context, step);
    EXPECT_EQ(batch.input.shape()[0], step < 4 ? 16 : 6);
    seen.insert(batch.samples.begin(), batch.samples.end());
  }
  EXPECT_EQ(seen.size(), 70U);
  EXPECT_EQ(std::set<std::int64_t>(seen.begin(), seen.end()).size(), 70U);
  EXPECT_THROW(Loader(s.data, {71, 1, true, true, false}), Error);  // an epoch without a batch
}

TEST_F(TrainTest, LearnsAndRepeatsBitForBitOnOneAndTwoThreads) {
  const int threads = omp_get_max_threads();
  std::vector<std::vector<double>> results;
  for (int n : {1, 2, 2}) {
    omp_set_num_threads(n);
    Session s;
    const double before = validate(s.context, s.objective(), s.validation).metric;
    s.train(30, 0, {});
    EXPECT_LT(validate(s.context, s.objective(), s.validation).metric, 0.2 * before);
    results.push_back(s.weights());
  }
  omp_set_num_threads(threads);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[1], results[2]);
}

TEST_F(TrainTest, ResumingAtAnyStepEndsInTheSameBitsAndTheSameLog) {
  const auto log_without_seconds = [&](const fs::path& path) {
    std::ifstream in(path);
    std::string text;
    for (std::string line; std::getline(in, line);) text += line.substr(0, line.rfind(',')) + "\n";
    return text;
  };
  Session whole;
  MetricsLog log(folder / "whole.csv", 0, "chi2");
  Checkpointer none(folder, whole.context.stream, whole.net, *whole.optimizer, {}, 0, [] { return false; });
  whole.train(5, 0, {&log, &none});
  for (int stop_after : {1, 3, 4, 7, 19}) {
    CheckpointInfo info;
    {
      Session s;
      int left = stop_after;
      MetricsLog part(folder / "part.csv", 0, "chi2");
      Checkpointer keeper(folder, s.context.stream, s.net, *s.optimizer, {}, 0,
                          [&left] { return left == 0; });
      struct Countdown final : Observer {
        int* left = nullptr;
        void on_step(const Report&) override { --*left; }
      } countdown;
      countdown.left = &left;
      EXPECT_EQ(s.train(5, 0, {&countdown, &part, &keeper}), stop_after);
    }
    // A line truncated by a kill, and rows after the checkpoint, must disappear.
    std::ofstream(folder / "part.csv", std::ios::app) << "9,999,train,1,1,1,1,1\n5,20,tr";
    Session resumed;
    info = read_checkpoint_info(folder / "last.h5");
    EXPECT_EQ(info.step, stop_after);
    load_checkpoint(folder / "last.h5", resumed.net.state(), resumed.optimizer->state());
    resumed.optimizer->set_steps(info.optimizer_steps);
    MetricsLog rest(folder / "part.csv", info.step, "chi2");
    Checkpointer keeper(folder, resumed.context.stream, resumed.net, *resumed.optimizer, info, 0,
                        [] { return false; });
    resumed.train(5, info.step, {&rest, &keeper});
    EXPECT_EQ(resumed.weights(), whole.weights()) << "stopped after step " << stop_after;
    EXPECT_EQ(log_without_seconds(folder / "part.csv"), log_without_seconds(folder / "whole.csv"));
    EXPECT_EQ(keeper.info().best_metric, none.info().best_metric);
  }
}

// Validation metrics as a training run reports them, with 4 steps per epoch. The state is in last.h5: after every
// epoch all is forgotten and read again.
TEST_F(TrainTest, PatienceEndsTrainingAfterEpochsWithoutABetterMetric) {
  const double metrics[] = {5, 3, 4, 3, 2, 2, 6, 7};
  Session s;
  const auto epochs_until_stopped = [&](std::int64_t patience) {
    CheckpointInfo info;
    for (std::int64_t epoch = 0; epoch < std::ssize(metrics); ++epoch) {
      Checkpointer keeper(folder, s.context.stream, s.net, *s.optimizer, info, 2, [] { return false; });
      const EarlyStopping stopping(keeper, 4 * patience);
      EXPECT_FALSE(stopping.wants_stop()) << patience << ' ' << epoch;
      Report report{.epoch = epoch, .step = 4 * epoch + 2};
      keeper.on_step_done(report, false);  // a checkpoint in the middle of an epoch
      EXPECT_FALSE(stopping.wants_stop()) << patience << ' ' << epoch;
      report.step = 4 * epoch + 4;
      report.metric = metrics[epoch];
      keeper.on_validation(report);
      keeper.on_step_done(report, true);
      keeper.on_end();
      if (stopping.wants_stop()) return epoch + 1;
      info = read_checkpoint_info(folder / "last.h5");
      EXPECT_EQ(info.best_step, keeper.info().best_step);
    }
    return std::int64_t{-1};
  };
  EXPECT_EQ(epochs_until_stopped(0), -1);
  EXPECT_EQ(epochs_until_stopped(1), 3);
  EXPECT_EQ(epochs_until_stopped(2), 4);  // the same metric is not better
  EXPECT_EQ(read_checkpoint_info(folder / "best.h5").best_step, 8);
  EXPECT_EQ(epochs_until_stopped(3), 8);
  EXPECT_EQ(epochs_until_stopped(4), -1);
}

// Each epoch's metric is worse than the one before.
TEST_F(TrainTest, ATrainerStopsWhenPatienceIsOver) {
  Session s;
  Objective objective = s.objective();
  double metric = 0;
  objective.metric = [&](std::span<const double>, std::span<const double>) { return metric += 1; };
  Checkpointer keeper(folder, s.context.stream, s.net, *s.optimizer, {}, 0, [] { return false; });
  EarlyStopping stopping(keeper, 2 * s.training.batches_per_epoch());
  const TrainerOptions options{9, 11, 0, true, [](std::int64_t) { return 0.01; }};
  EXPECT_EQ(Trainer(s.context, s.net, *s.optimizer, objective, options)
                .run(s.training, &s.validation, 0, {&keeper, &stopping}),
            3 * s.training.batches_per_epoch());
}

// The folder of the run is gone after the first epoch.
TEST_F(TrainTest, ACheckpointThatCannotBeWrittenEndsTraining) {
  struct Remover final : Observer {
    fs::path folder;
    std::int64_t steps = 0;
    void on_step(const Report& report) override { steps = report.step; }
    void on_validation(const Report&) override { fs::remove_all(folder); }
  } remover;
  remover.folder = folder;
  for (const std::int64_t epochs : {1, 10'000}) {
    Session s;
    Checkpointer keeper(folder, s.context.stream, s.net, *s.optimizer, {}, 0, [] { return false; });
    try {
      s.train(epochs, 0, {&remover, &keeper});
      ADD_FAILURE() << "trained to the end of " << epochs << " epochs";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("cannot write '" + (folder / "best.h5").string()),
                std::string::npos)
          << error.what();
    }
    EXPECT_TRUE(epochs == 1 || remover.steps < epochs * s.training.batches_per_epoch());
  }
}

TEST_F(TrainTest, ACheckpointOfAnotherNetworkIsASentenceAndChangesNothing) {
  Session s;
  Build build;
  const Linear other(build, 4, 16);
  write_checkpoint(folder / "other.h5", {}, other.state(), {});
  const std::vector<double> before = s.weights();
  EXPECT_THROW(load_checkpoint(folder / "other.h5", s.net.state(), {}), Error);
  write_checkpoint(folder / "small.h5", {}, s.net.state(), {});
  EXPECT_THROW(load_checkpoint(folder / "small.h5", s.net.state(), s.optimizer->state()),
               Error);  // without moments
  EXPECT_EQ(s.weights(), before);
  load_checkpoint(folder / "small.h5", s.net.state(), {});
}

TEST_F(TrainTest, TwoHundredDamagedCheckpointsEndInSuccessOrASentence) {
  Session s;
  write_checkpoint(folder / "good.h5", {"device = \"cpu\"\n", 5, 5, 1.5, true, 4, {{"sigma", {1, 2}}}},
                   s.net.state(), s.optimizer->state());
  std::ifstream in(folder / "good.h5", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string original = text.str();
  const Rng rng(7, Purpose::kTest);
  int errors = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    std::string content = original;
    const Philox4 w = rng.words(i);
    const std::size_t place = w[0] % content.size();
    if (i % 4 == 0)
      content.resize(place);
    else
      for (std::size_t k = 0; k < 1 + w[1] % 16 && place + k < content.size(); ++k)
        content[place + k] ^= static_cast<char>(1 + w[2] % 255);
    std::ofstream(folder / "bad.h5", std::ios::binary) << content;
    try {
      Session victim;
      read_checkpoint_info(folder / "bad.h5");
      load_checkpoint(folder / "bad.h5", victim.net.state(), victim.optimizer->state());
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 50);
}

TEST_F(TrainTest, ANanIsExplainedByItsFirstOpAndParameter) {
  Session s;
  s.train(1, 0, {});
  s.net.parameters()[4].value().values<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_EQ(s.net.parameters()[4].name, "last.weight");
  try {
    s.train(2, 4, {});
    FAIL() << "trained on";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("linear_fprop"), std::string::npos) << text;
    EXPECT_NE(text.find("last.weight"), std::string::npos) << text;
    EXPECT_NE(text.find("step 4"), std::string::npos) << text;
  }
}

TEST_F(TrainTest, ALabelThatIsNoClassIsNamed) {
  Session s;
  Objective objective = s.objective();
  objective.loss = [](Pass& pass, const Var& p, const Tensor& target) {
    std::vector<double> classes(static_cast<std::size_t>(target.shape()[0]), 1);
    classes[3] = 17;
    const Tensor labels = allocate_tensor({}, {target.shape()[0]}, DType::kI32);
    from_host(classes, labels, pass.context.stream);
    return softmax_cross_entropy(pass, p, labels);
  };
  const TrainerOptions options{1, 11, 0, true, [](std::int64_t) { return 0.01; }};
  try {
    Trainer(s.context, s.net, *s.optimizer, objective, options).run(s.training, nullptr, 0, {});
    FAIL() << "trained on";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("softmax_cross_entropy"), std::string::npos) << text;
    EXPECT_NE(text.find("because label 17 of row 3 is outside 0 … 1."), std::string::npos) << text;
    EXPECT_EQ(text.find("lower learning rate"), std::string::npos) << text;
  }
}

TEST_F(TrainTest, AnOptimiserThatRunsAwayIsStopped) {
  Session s;
  EXPECT_THROW(s.train(200, 0, {}, 1e30), Error);
}

TEST(Profile, CountsCallsAndNamesRungs) {
  Session s;
  Profile profile;
  profile.attach(s.context);
  s.train(1, 0, {});
  const std::string table = profile.table();
  for (const char* word : {"linear_fprop", "batch_norm_backward", "adam_step", "cpu_1"}) {
    EXPECT_NE(table.find(word), std::string::npos) << table;
  }
}

}  // namespace
}  // namespace umbra

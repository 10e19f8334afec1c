// Training that is killed at any moment, while a file is being written as a rule, and resumed ends as if it had not been.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <random>
#include <thread>

#include "engine/cpu/parallel.h"
#include "engine/io/hdf5.h"
#include "engine/train/checkpointer.h"
#include "tests/fixtures/file_test.h"
#include "tests/fixtures/toy_training.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

class KilledTrainingTest : public FileTest {
 protected:
  // Continues what is in the folder, or does what precedes that.
  static void train(const fs::path& folder, bool continues = true) {
    fs::create_directories(folder);
    Session s;
    CheckpointInfo info;
    if (fs::exists(folder / "last.h5")) {
      info = read_checkpoint_info(folder / "last.h5");
      load_checkpoint(folder / "last.h5", s.net.state(), s.optimizer->state());
      s.optimizer->set_steps(info.optimizer_steps);
    }
    Checkpointer keeper(folder, s.context.stream, s.net, *s.optimizer, info, 3, [] { return false; });
    if (continues) s.train(kEpochs, info.step, {&keeper}, 1e-3);
  }
  static std::map<std::string, std::vector<float>> numbers(const fs::path& path) {
    const Hdf5File file = Hdf5File::open(path);
    std::map<std::string, std::vector<float>> all;
    for (const std::string group : {"model", "optimizer"}) {
      if (!file.has_group(group)) continue;
      for (const Hdf5Entry& entry : file.list(group)) {
        const std::string name = group + "/" + entry.name;
        all[name] = file.read<float>(name);
      }
    }
    return all;
  }
  static constexpr std::int64_t kEpochs = 400;
};

TEST_F(KilledTrainingTest, EndsInTheSameBitsAndTheSameBestNetwork) {
  omp_set_num_threads(1);  // a process that forks must have no threads of OpenMP
  const auto begin = std::chrono::steady_clock::now();
  train(path("whole"));
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::mt19937 random(1);
  const fs::path run = path("killed"), last = run / "last.h5", best = run / "best.h5";
  int kills = 0;  // of runs that had written a checkpoint
  for (int attempt = 0; attempt < 12; ++attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
      train(run);
      ::_exit(0);
    }
    std::this_thread::sleep_for(
        std::chrono::duration<double>(seconds * std::uniform_real_distribution<>(0, 0.15)(random)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    const bool saved = fs::exists(last);
    if (WIFSIGNALED(status)) {
      kills += static_cast<int>(saved);
      if (!saved) seconds *= 2;
    } else {  // the run is over, if too early because the machine was busy while `seconds` were measured
      if (kills > 2) break;
      fs::remove_all(run);
      seconds /= 2;
    }
    if (!fs::exists(last)) continue;
    const CheckpointInfo info = read_checkpoint_info(last);
    if (!info.has_best) continue;
    ASSERT_TRUE(has_best(run, info));
    train(run, false);
    EXPECT_EQ(read_checkpoint_info(best).step, info.best_step);
  }
  EXPECT_GT(kills, 2);
  train(run);
  for (const char* name : {"last.h5", "best.h5"}) {
    EXPECT_EQ(read_checkpoint_info(run / name).step, read_checkpoint_info(path("whole") / name).step) << name;
    EXPECT_EQ(numbers(run / name), numbers(path("whole") / name)) << name;
  }
  EXPECT_EQ(read_checkpoint_info(last).best_metric,
            read_checkpoint_info(path("whole") / "last.h5").best_metric);
}

}  // namespace
}  // namespace umbra

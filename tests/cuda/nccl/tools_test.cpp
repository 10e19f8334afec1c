// train with device=cuda in several processes, as a user starts it, on emulated GPUs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <vector>

#include "tests/fixtures/data_files.h"
#include "tests/fixtures/mpirun.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::mpirun;
using testing_tools::Outcome;

class EmulatedProcesses : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::create_directories(folder());
    make_values(path("values.h5"));
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_emulated_processes_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }

  static Outcome train(int processes, const std::string& out, int gpus, const std::string& more = "") {
    return mpirun(
        processes,
        "../tests/cuda/tools/train --data " + path("values.h5") + " --out " + path(out) +
            " device=cuda model.name=mlp model.hidden=[8] train.batch=32 train.epochs=1 train.sync_batch_norm=true " +
            more,
        "-x UMBRA_EMULATED_QUEUES=deferred -x UMBRA_EMULATED_GPUS=" + std::to_string(gpus));
  }
  // The losses of metrics.csv, row by row.
  static std::vector<double> losses(const std::string& out) {
    std::istringstream text(bytes(folder() / out / "metrics.csv"));
    std::vector<double> found;
    std::string line;
    for (std::getline(text, line); std::getline(text, line);) {
      std::istringstream words(line);
      std::string word;
      for (int i = 0; i < 4; ++i) std::getline(words, word, ',');
      found.push_back(std::atof(word.c_str()));
    }
    return found;
  }
};

TEST_F(EmulatedProcesses, TrainWithAGpuEach) {
  for (const auto& [processes, out] : {std::pair{1, "one"}, {2, "two"}, {2, "again"}}) {
    const Outcome ended = train(processes, out, processes);
    ASSERT_EQ(ended.status, 0) << ended.output;
    EXPECT_NE(ended.output.find("on cuda:0"), std::string::npos) << ended.output;
  }
  const std::vector<double> one = losses("one"), two = losses("two");
  ASSERT_GT(one.size(), 2U);
  ASSERT_EQ(two.size(), one.size());
  // The last row is the validation, with running statistics: the biases in front of a batch norm, whose gradient is
  // rounding alone, move them.
  for (std::size_t row = 0; row < one.size(); ++row)
    EXPECT_NEAR(two[row], one[row], (row + 1 < one.size() ? 1e-5 : 1e-3) * std::abs(one[row])) << row;
  EXPECT_EQ(losses("again"), two);
  EXPECT_EQ(bytes(folder() / "again" / "best.safetensors"), bytes(folder() / "two" / "best.safetensors"));
}

TEST_F(EmulatedProcesses, NeedAGpuEach) {
  const Outcome ended = train(2, "few", 1);
  EXPECT_EQ(ended.status, 1) << ended.output;
  EXPECT_NE(ended.output.find("train: rank 0 on "), std::string::npos) << ended.output;
  EXPECT_NE(ended.output.find("); start no more processes on a machine than it has GPUs"), std::string::npos)
      << ended.output;
  EXPECT_FALSE(fs::exists(folder() / "few" / "last.h5"));
}

}  // namespace
}  // namespace umbra

// The tools on the emulated GPU, as a user runs them: training with the step replayed as a graph or queued,
// checkpoints that are continued on the other device, predictions and scores.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <sstream>
#include <vector>

#include "engine/io/hdf5.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

class EmulatedTools : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::create_directories(folder());
    const Outcome made = run("mock --out " + path("mock.h5") + " --box-size 50 --seed 3");
    ASSERT_EQ(made.status, 0) << made.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_emulated_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }

  /// A tool whose GPU is the emulator.
  static std::string gpu(const std::string& tool) { return "../tests/cuda/tools/" + tool; }
  static std::string train(const std::string& program, const std::string& out, const std::string& more) {
    return program + " --data " + path("mock.h5") + " --out " + path(out) +
           " model.channels=4 model.dropout=0.1 train.batch=3 train.epochs=2 train.clip=1 "
           "data.symmetries=true " +
           more;
  }
  /// The numbers of a run's safetensors file, after its header (which contains the configuration).
  static std::string weights(const std::string& out) {
    const std::string file = bytes(folder() / out / "best.safetensors");
    std::uint64_t header = 0;
    std::memcpy(&header, file.data(), sizeof header);
    return file.substr(sizeof header + header);
  }
  static std::vector<double> predictions(const std::string& file) {
    const std::vector<float> numbers = Hdf5File::open(file).read<float>("smf_predicted");
    return {numbers.begin(), numbers.end()};
  }
  /// The rows of metrics.csv, with the columns that depend on training.
  static std::vector<std::vector<double>> metrics(const std::string& out) {
    std::istringstream lines(bytes(folder() / out / "metrics.csv"));
    std::vector<std::vector<double>> rows;
    std::string line;
    for (std::getline(lines, line); std::getline(lines, line);) {
      std::istringstream words(line);
      std::vector<double> row;
      for (std::string word; std::getline(words, word, ',');) {
        if (word != "train" && word != "validation") row.push_back(std::atof(word.c_str()));
      }
      row.pop_back();  // seconds
      rows.push_back(row);
    }
    return rows;
  }
};

TEST_F(EmulatedTools, AReplayedRunAndAQueuedOneEndInTheSameWeights) {
  const Outcome replayed = run(train(gpu("train"), "replayed", "device=cuda train.graph=on"));
  ASSERT_EQ(replayed.status, 0) << replayed.output;
  EXPECT_NE(replayed.output.find("on cuda:0"), std::string::npos) << replayed.output;
  const Outcome queued = run(train(gpu("train"), "queued", "device=auto train.graph=off"));
  ASSERT_EQ(queued.status, 0) << queued.output;
  EXPECT_EQ(weights("replayed"), weights("queued"));
  EXPECT_EQ(metrics("replayed"), metrics("queued"));
}

TEST_F(EmulatedTools, TrainingFollowsTheCpuAndGoesOnOnTheOtherDevice) {
  ASSERT_EQ(run(train("train", "cpu", "device=cpu")).status, 0);
  ASSERT_EQ(run(train(gpu("train"), "gpu", "device=cuda")).status, 0);
  const auto cpu = metrics("cpu"), there = metrics("gpu");
  ASSERT_EQ(cpu.size(), there.size());
  // Adam divides by the gradient's own size, so that rounding grows from step to step: close agreement at
  // first, a looser one later.
  EXPECT_NEAR(there[0][2], cpu[0][2], 1e-5 * cpu[0][2]) << "the first step starts from the same numbers";
  EXPECT_NEAR(there[1][2], cpu[1][2], 1e-3 * cpu[1][2]);
  EXPECT_NEAR(there.back()[2], cpu.back()[2], 0.3 * cpu.back()[2]);
  const std::string more = " train.epochs=3";
  const Outcome on_gpu = run(gpu("train") + " --resume --data " + path("mock.h5") + " --out " + path("cpu") +
                             " device=cuda" + more);
  EXPECT_EQ(on_gpu.status, 0) << on_gpu.output;
  const Outcome on_cpu =
      run("train --resume --data " + path("mock.h5") + " --out " + path("gpu") + " device=cpu" + more);
  EXPECT_EQ(on_cpu.status, 0) << on_cpu.output;
  const auto resumed = metrics("cpu"), other = metrics("gpu");
  ASSERT_EQ(resumed.size(), other.size());
  EXPECT_NEAR(resumed.back()[2], other.back()[2], 0.3 * other.back()[2]);
}

// Lists of halos: the CPU cuts every batch to its longest list, the GPU replays batches of one shape.
TEST_F(EmulatedTools, TrainingOnListsFollowsTheCpu) {
  const auto lists = [](const std::string& program, const std::string& out, const std::string& more) {
    return run(
        program + " --data " + path("mock.h5") + " --out " + path(out) +
        " model.name=um_halos data.input=halos 'data.features=log10(vpeak),neighbours(3)' model.hidden=6 "
        "model.embedding=4 train.batch=2 train.epochs=1 " +
        more);
  };
  ASSERT_EQ(lists("train", "lists", "device=cpu").status, 0);
  const Outcome replayed = lists(gpu("train"), "lists_replayed", "device=cuda train.graph=on");
  ASSERT_EQ(replayed.status, 0) << replayed.output;
  ASSERT_EQ(lists(gpu("train"), "lists_queued", "device=cuda train.graph=off").status, 0);
  EXPECT_EQ(weights("lists_replayed"), weights("lists_queued"));
  const auto cpu = metrics("lists"), there = metrics("lists_replayed");
  ASSERT_EQ(cpu.size(), there.size());
  for (std::size_t row = 0; row < cpu.size(); ++row)
    EXPECT_NEAR(there[row][2], cpu[row][2], 1e-3 * cpu[row][2]) << row;
}

TEST_F(EmulatedTools, PredictionsAndScoresAreThoseOfTheCpu) {
  ASSERT_EQ(run(train("train", "scored", "device=cpu")).status, 0);
  for (const std::string& program : {std::string("evaluate"), gpu("evaluate")}) {
    const std::string device = program == "evaluate" ? "cpu" : "cuda";
    const Outcome outcome = run(program + " --data " + path("mock.h5") + " --run " + path("scored") +
                                " --out " + path(device + ".json") + " --device " + device);
    ASSERT_EQ(outcome.status, 0) << outcome.output;
  }
  const auto means = [&](const std::string& file) {
    const std::string text = bytes(folder() / file), key = "\"mean\":";
    std::vector<double> found;
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1))
      found.push_back(std::atof(text.c_str() + at + key.size()));
    return found;
  };
  const std::vector<double> here = means("cpu.json"), there = means("cuda.json");
  ASSERT_GT(here.size(), 4u);  // two conventions for each of two baselines and the network
  ASSERT_EQ(here.size(), there.size());
  for (std::size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(there[i], here[i], 1e-4 * std::abs(here[i])) << i;
  const Outcome predicted = run(gpu("predict") + " --data " + path("mock.h5") + " --run " + path("scored") +
                                " --out " + path("predictions.h5") + " --device cuda");
  EXPECT_EQ(predicted.status, 0) << predicted.output;
}

// exp, the Poisson likelihood added to chi2, and the sum over voxels.
TEST_F(EmulatedTools, TheLogLinkAndThePooledVoxelsFollowTheCpu) {
  const std::string settings =
      " loss.link=log loss.poisson=2 model.pooled=8 data.voxels=8 train.epochs=1 train.batch=2 "  // two replays
      "train.schedule=constant";
  ASSERT_EQ(run(train("train", "cpu_log", "device=cpu" + settings)).status, 0);
  const Outcome replayed = run(train(gpu("train"), "gpu_log", "device=cuda train.graph=on" + settings));
  ASSERT_EQ(replayed.status, 0) << replayed.output;
  const auto cpu = metrics("cpu_log"), there = metrics("gpu_log");
  ASSERT_EQ(cpu.size(), there.size());
  for (const std::size_t column : {2U, 3U})  // loss and chi2
    EXPECT_NEAR(there[0][column], cpu[0][column], 1e-5 * std::abs(cpu[0][column]));
  EXPECT_NEAR(there[1][2], cpu[1][2], 3e-3 * std::abs(cpu[1][2]));  // after three steps of Adam
  ASSERT_EQ(run(train(gpu("train"), "queued_log", "device=cuda train.graph=off" + settings)).status, 0);
  EXPECT_EQ(weights("gpu_log"), weights("queued_log"));
}

// Layers with more than four input channels, and the head, in the requested precision: both devices multiply
// the same numbers, and sums differ in their order.
TEST_F(EmulatedTools, RoundedRunsFollowTheCpuAndGoOnOnTheOtherDevice) {
  for (const std::string precision : {"tf32", "bf16"}) {
    const std::string cpu_run = "cpu_" + precision, gpu_run = "gpu_" + precision;
    const std::string settings = " train.schedule=constant precision=" + precision;
    const std::string one = settings + " train.epochs=1";
    ASSERT_EQ(run(train("train", cpu_run, "device=cpu" + one)).status, 0);
    const Outcome there = run(train(gpu("train"), gpu_run, "device=cuda" + one));
    ASSERT_EQ(there.status, 0) << there.output;
    const auto cpu = metrics(cpu_run), on_gpu = metrics(gpu_run);
    ASSERT_EQ(cpu.size(), on_gpu.size());
    EXPECT_NEAR(on_gpu[0][2], cpu[0][2], 1e-3 * cpu[0][2]) << precision;
    EXPECT_NEAR(on_gpu.back()[2], cpu.back()[2], 0.3 * cpu.back()[2]) << precision;

    // Half a run and its continuation equal the whole run, bf16 copies of the weights included.
    const std::string more = " --data " + path("mock.h5") + " train.epochs=2";
    const Outcome whole = run(train(gpu("train"), "whole_" + precision, "device=cuda" + settings));
    ASSERT_EQ(whole.status, 0) << whole.output;
    const Outcome resumed = run(gpu("train") + " --resume --out " + path(gpu_run) + more + " device=cuda");
    ASSERT_EQ(resumed.status, 0) << resumed.output;
    EXPECT_EQ(metrics(gpu_run), metrics("whole_" + precision)) << precision;
    EXPECT_EQ(weights(gpu_run), weights("whole_" + precision)) << precision;
    const Outcome across = run(gpu("train") + " --resume --out " + path(cpu_run) + more + " device=cuda");
    EXPECT_EQ(across.status, 0) << across.output;
  }
}

// A layer is found wherever its weights are read: in fp32, as bfloat16 or packed. Copies take memory.
TEST_F(EmulatedTools, ADryRunListsEveryLayerAndCountsCopiesOfWeights) {
  std::map<std::string, double> mib;
  for (const std::string precision : {"fp32", "tf32", "bf16"}) {
    const Outcome outcome =
        run(gpu("train") +
            " --dry-run device=cuda model.channels=10 data.voxels=8 train.batch=2 precision=" + precision);
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    int layers = 0;
    std::istringstream lines(outcome.output);
    for (std::string line; std::getline(lines, line);) {
      layers += line.find(" (cuda_") != std::string::npos ? 1 : 0;
      if (line.starts_with("memory ")) mib[precision] = std::atof(line.substr(7).c_str());
    }
    EXPECT_EQ(layers, 19) << outcome.output;
  }
  EXPECT_GT(mib["bf16"], mib["fp32"]);  // half of the weights that are multiplied
  EXPECT_GT(mib["tf32"], mib["bf16"]);  // twice
}

TEST_F(EmulatedTools, ARunIsAskedInAnyPrecisionOnEitherDevice) {
  ASSERT_EQ(run(train("train", "asked", "device=cpu train.epochs=1")).status, 0);
  std::map<std::string, std::vector<double>> smf;
  for (const std::string precision : {"fp32", "tf32", "bf16"}) {
    for (const std::string& program : {std::string("predict"), gpu("predict")}) {
      const std::string device = program == "predict" ? "cpu" : "cuda", name = device + "_" + precision;
      const Outcome outcome =
          run(program + " --data " + path("mock.h5") + " --run " + path("asked") + " --out " +
              path(name + ".h5") + " --device " + device + " --precision " + precision);
      ASSERT_EQ(outcome.status, 0) << outcome.output;
      smf[name] = predictions(path(name + ".h5"));
    }
  }
  const auto distance = [&](const std::string& a, const std::string& b) {
    double squares = 0, size = 0;
    for (std::size_t i = 0; i < smf[a].size(); ++i) {
      squares += (smf[a][i] - smf[b][i]) * (smf[a][i] - smf[b][i]);
      size += smf[a][i] * smf[a][i];
    }
    return std::sqrt(squares / size);
  };
  for (const std::string precision : {"fp32", "tf32", "bf16"})
    EXPECT_LT(distance("cpu_" + precision, "cuda_" + precision), precision == "bf16" ? 1e-3 : 1e-4)
        << precision;
  EXPECT_GT(distance("cuda_fp32", "cuda_tf32"), 1e-7);
  EXPECT_GT(distance("cuda_fp32", "cuda_bf16"), distance("cuda_fp32", "cuda_tf32"));
  EXPECT_LT(distance("cuda_fp32", "cuda_bf16"), 3e-2);
  ASSERT_EQ(run(train(gpu("train"), "scored_bf16", "device=cuda train.epochs=1 precision=bf16")).status, 0);
  for (const std::string& program : {std::string("evaluate"), gpu("evaluate")}) {
    const Outcome outcome = run(program + " --data " + path("mock.h5") + " --run " + path("scored_bf16") +
                                " --out " + path("scores.json") + " --overwrite");
    EXPECT_EQ(outcome.status, 0) << outcome.output;
  }
}

TEST_F(EmulatedTools, AProfileNamesWhatRanOnTheGpuAndChangesNoBit) {
  const auto overfit = [](const std::string& out, const std::string& more) {
    return run(gpu("train") + " --overfit --data " + path("mock.h5") + " --out " + path(out) +
               " model.channels=4 train.batch=2 train.epochs=1 device=cuda" + more);
  };
  const Outcome outcome = overfit("profiled", " --profile");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  ASSERT_EQ(overfit("without", "").status, 0);
  EXPECT_EQ(weights("profiled"), weights("without"));
  for (const char* word :
       {"peaks of this device", "conv_fprop", "cuda_2_tiled", "stem3d_forward", "adam_step", "roof"})
    EXPECT_NE(outcome.output.find(word), std::string::npos) << word << "\n" << outcome.output;
}

}  // namespace
}  // namespace umbra

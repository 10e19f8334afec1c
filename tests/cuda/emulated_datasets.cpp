// The dataset task on the emulated GPU, through the tools: classes and values, a perceptron and a ResNet18.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/fixtures/data_files.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

struct Case {
  std::string name, data, settings;
  std::int64_t epochs;  // of half a run
  bool resumes = true;  // a ResNet18 is slow on the emulator: it is resumed on the CPU (dataset_task_test)
  friend void PrintTo(const Case& c, std::ostream* stream) { *stream << c.name; }
};

class EmulatedDatasets : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    fs::create_directories(folder());
    make_values(path("values.h5"));
    make_images(path("images.h5"));
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_emulated_datasets_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string gpu(const std::string& tool) { return "../tests/cuda/tools/" + tool; }

  static void must(const std::string& command) {
    const Outcome outcome = run(command);
    ASSERT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
  }
  std::string train(const std::string& out, const std::string& more) const {
    return "train --data " + path(GetParam().data) + " --out " + path(out) + " train.schedule=constant " +
           GetParam().settings + more;
  }
  /// Losses of metrics.csv, row by row.
  static std::vector<double> losses(const std::string& out) {
    std::istringstream text(bytes(folder() / out / "metrics.csv"));
    std::vector<double> found;
    std::string line;
    for (std::getline(text, line); std::getline(text, line);) {
      std::istringstream words(line);
      std::string word;
      for (int i = 0; i < 4; ++i) std::getline(words, word, ',');
      found.push_back(std::stod(word));
    }
    return found;
  }
};

TEST_P(EmulatedDatasets, LearnsResumesAndAnswersAsOnTheCpu) {
  const Case& c = GetParam();
  const std::string whole = "train.epochs=" + std::to_string(2 * c.epochs),
                    half = "train.epochs=" + std::to_string(c.epochs);
  must(train(c.name + "_cpu", " device=cpu " + whole));
  must(gpu(train(c.name + "_whole", " device=cuda " + whole)));
  if (c.resumes) {
    must(gpu(train(c.name + "_part", " device=cuda " + half)));
    must(gpu("train --resume --data " + path(c.data) + " --out " + path(c.name + "_part") + " device=cuda " +
             whole));
    EXPECT_EQ(bytes(folder() / (c.name + "_whole") / "last.h5"),
              bytes(folder() / (c.name + "_part") / "last.h5"));
  }
  const std::vector<double> here = losses(c.name + "_cpu"), there = losses(c.name + "_whole");
  ASSERT_EQ(here.size(), there.size());
  EXPECT_NEAR(there[0], here[0], 1e-5 * here[0]) << "the first step starts from the same numbers";
  EXPECT_LT(there[there.size() - 2], 0.7 * there[0]) << "nothing was learnt";

  const std::string of_run = " --data " + path(c.data) + " --run " + path(c.name + "_whole") + " --device ";
  must(gpu("predict" + of_run + "cuda --out " + path(c.name + ".h5")));
  nlohmann::json scores[2];
  for (int i = 0; i < 2; ++i) {
    const std::string out = path(c.name + std::to_string(i) + ".json");
    must(i == 0 ? "evaluate" + of_run + "cpu --out " + out : gpu("evaluate" + of_run + "cuda --out " + out));
    scores[i] = nlohmann::json::parse(bytes(out))["models"][1];
  }
  const char* const score = scores[0].contains("cross_entropy") ? "cross_entropy" : "mse";
  const double cpu = scores[0][score]["mean"], cuda = scores[1][score]["mean"];
  EXPECT_NEAR(cuda, cpu, 1e-4 * cpu);
}

// Targets that are shares, class weights in the loss, and samples that are mixed. Adam would turn the rounding errors in the
// gradients of biases that a batch norm cancels into steps of full length.
class EmulatedShares : public EmulatedDatasets {};

TEST_P(EmulatedShares, HaveTheLossesOfTheCpu) {
  const std::string epochs = " train.epochs=" + std::to_string(GetParam().epochs);
  must(train(GetParam().name + "_cpu", " device=cpu" + epochs));
  must(gpu(train(GetParam().name + "_cuda", " device=cuda" + epochs)));
  const std::vector<double> here = losses(GetParam().name + "_cpu"),
                            there = losses(GetParam().name + "_cuda");
  ASSERT_EQ(here.size(), there.size());
  for (std::size_t i = 0; i < here.size(); ++i) EXPECT_NEAR(there[i], here[i], 1e-5 * here[i]) << i;
}

INSTANTIATE_TEST_SUITE_P(All, EmulatedShares,
                         testing::Values(Case{
                             "mixup", "images.h5",
                             "model.hidden=[16] train.batch=6 loss.mixup=0.4 loss.class_weights=balanced "
                             "loss.label_smoothing=0.1 train.optimizer=sgd train.learning_rate=0.05 "
                             "train.validation_fraction=0.3",
                             2}),
                         [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    All, EmulatedDatasets,
    testing::Values(Case{"mlp_classes", "images.h5",
                         "model.hidden=[16,16] train.batch=6 train.learning_rate=0.01", 4},
                    Case{"mlp_values", "values.h5",
                         "model.hidden=[16] model.dropout=0.1 train.batch=30 train.learning_rate=0.02", 3},
                    Case{"resnet18_classes", "images.h5",
                         "model.name=resnet18 data.flips=true train.validation_fraction=0.25 train.batch=6 "
                         "train.optimizer=sgd train.momentum=0 "
                         "train.learning_rate=0.02",
                         1, false}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace umbra

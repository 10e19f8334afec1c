// The dataset task through the tools, as a user runs them: train on classes and on values, resume, predict and
// evaluate.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "engine/io/hdf5.h"
#include "tests/fixtures/data_files.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

// Settings that learn two spirals in a few hundred steps.
constexpr const char* kSpirals =
    " model.hidden=[64,64] train.batch=50 train.epochs=80 train.learning_rate=0.01 train.warmup_epochs=2";

const std::string kResNet18 =
    "model.name=resnet18 train.batch=6 train.learning_rate=2e-4 train.schedule=constant "
    "train.validation_fraction=0.25 train.epochs=";

class DatasetTaskTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    make_two_spirals(path("spirals.h5"), 500, 1);
    make_values(path("values.h5"));
    make_images(path("images.h5"));
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_dataset_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }

  static std::string train(const std::string& data, const std::string& out, const std::string& more) {
    return "train --data " + path(data) + " --out " + path(out) + " " + more;
  }
  static void must(const std::string& command) {
    const Outcome outcome = run(command);
    ASSERT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
  }
  static void expect_error(const std::string& command, const std::vector<std::string>& words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 1) << command << "\n" << outcome.output;
    EXPECT_EQ(testing_tools::line_count(outcome.output), 1) << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << "\n" << outcome.output;
  }
  static std::vector<std::string> lines(const std::string& file) {
    std::istringstream text(bytes(folder() / file));
    std::vector<std::string> all;
    for (std::string line; std::getline(text, line);) all.push_back(line);
    return all;
  }
  static std::vector<std::string> metrics(const std::string& out) {
    std::vector<std::string> all = lines(out + "/metrics.csv");
    for (std::string& line : all) line = line.substr(0, line.rfind(','));  // without seconds
    return all;
  }
  // The losses of the last three steps against those of the first three.
  static void expect_learnt(const std::string& out) {
    std::vector<double> losses;
    for (const std::string& row : metrics(out)) {
      std::istringstream words(row);
      std::vector<std::string> columns;
      for (std::string word; std::getline(words, word, ',');) columns.push_back(word);
      if (columns[2] == "train") losses.push_back(std::stod(columns[3]));
    }
    ASSERT_GE(losses.size(), 6U);
    const double first = std::accumulate(losses.begin(), losses.begin() + 3, 0.0),
                 last = std::accumulate(losses.end() - 3, losses.end(), 0.0);
    EXPECT_LT(last, 0.7 * first) << "nothing was learnt";
  }
  static nlohmann::json evaluation(const std::string& data, const std::string& runs,
                                   std::string* table = nullptr) {
    const Outcome outcome =
        run("evaluate --data " + path(data) + runs + " --overwrite --out " + path("e.json"));
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    if (table) *table = outcome.output;
    return nlohmann::json::parse(bytes(folder() / "e.json"));
  }
};

TEST_F(DatasetTaskTest, TwoSpiralsAreToldApart) {
  double accuracy = 0;
  for (int seed = 1; seed <= 5; ++seed) {
    const std::string data = "spirals" + std::to_string(seed) + ".h5", out = "s" + std::to_string(seed);
    make_two_spirals(path(data), 500, static_cast<std::uint64_t>(seed));
    must(train(data, out, "train.seed=" + std::to_string(seed) + kSpirals));
    const auto model = evaluation(data, " --run " + path(out))["models"][1];
    accuracy += model["accuracy"]["mean"].get<double>() / 5;
  }
  EXPECT_GE(accuracy, 0.99);
  RecordProperty("accuracy", std::to_string(accuracy));
}

TEST_F(DatasetTaskTest, ClassesArePredictedAndEvaluated) {
  must(train("spirals.h5", "classes", kSpirals));
  EXPECT_EQ(lines("classes/metrics.csv")[0], "epoch,step,split,loss,error,lr,grad_norm,seconds");
  must("predict --run " + path("classes") + " --data " + path("spirals.h5") + " --out " + path("p.h5"));
  const Hdf5File file = Hdf5File::open(path("p.h5"));
  const auto shares = file.read<float>("probabilities", {1000, 2});
  const auto predicted = file.read<std::int64_t>("predicted", {1000}),
             targets = file.read<std::int64_t>("targets"), held_out = file.read<std::int64_t>("validation");
  EXPECT_EQ(file.attribute_texts("predicted", "classes"), (std::vector<std::string>{"first", "second"}));
  double right = 0, entropy = 0, count = 0;
  std::vector<std::vector<int>> confusion(2, std::vector<int>(2, 0));
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_NEAR(shares[2 * i] + shares[2 * i + 1], 1.0F, 1e-6F);
    EXPECT_EQ(predicted[i], shares[2 * i + 1] > shares[2 * i] ? 1 : 0);
    if (held_out[i] == 0) continue;
    const auto label = static_cast<std::size_t>(targets[i]);
    count += 1;
    right += predicted[i] == targets[i] ? 1 : 0;
    entropy -= std::log(static_cast<double>(shares[2 * i + label]));
    ++confusion[label][static_cast<std::size_t>(predicted[i])];
  }
  EXPECT_EQ(count, 200);

  std::string table;
  const auto json = evaluation("spirals.h5", " --run " + path("classes"), &table);
  const auto& model = json["models"][1];
  EXPECT_EQ(json["format_version"], 1);
  EXPECT_EQ(json["class_names"], (std::vector<std::string>{"first", "second"}));
  EXPECT_NEAR(model["accuracy"]["mean"].get<double>(), right / count, 1e-12);
  EXPECT_NEAR(model["cross_entropy"]["mean"].get<double>(), entropy / count, 1e-5);
  EXPECT_EQ(model["confusion"], confusion);
  EXPECT_NEAR(model["recall"][0].get<double>(), confusion[0][0] / double(confusion[0][0] + confusion[0][1]),
              1e-12);
  EXPECT_EQ(json["models"][0]["name"], "most frequent class");
  EXPECT_NEAR(json["models"][0]["cross_entropy"]["mean"].get<double>(), std::log(2.0), 0.01);
  EXPECT_TRUE(json["models"][0]["precision"][0].is_null() || json["models"][0]["precision"][1].is_null());
  EXPECT_NE(table.find("mlp 64-64 (" + path("classes") + ")"), std::string::npos) << table;
  EXPECT_NE(table.find("accuracy"), std::string::npos) << table;
}

TEST_F(DatasetTaskTest, PredictionsAsCsvAndOfFilesWithoutTargets) {
  must(train("spirals.h5", "csv", std::string(kSpirals) + " train.epochs=2"));
  {
    DataFileMaker(path("unknown.h5"))
        .add("inputs", H5T_IEEE_F32LE, {3, 2}, {0.5, 0.5, -0.1, 0.2, 0.3, -0.9}, 2);
  }
  const std::string predict = "predict --run " + path("csv") + " --data " + path("unknown.h5") + " --out ";
  must(predict + path("p.csv"));
  must(predict + path("q.h5"));
  const std::vector<std::string> csv = lines("p.csv");
  ASSERT_EQ(csv.size(), 4U);
  EXPECT_EQ(csv[0], "row,predicted,name,probability_first,probability_second");
  const Hdf5File file = Hdf5File::open(path("q.h5"));
  EXPECT_FALSE(file.has("targets") || file.has("validation"));
  const auto shares = file.read<float>("probabilities", {3, 2});
  for (std::size_t i = 0; i < 3; ++i) {
    std::istringstream words(csv[i + 1]);
    std::vector<std::string> row;
    for (std::string word; std::getline(words, word, ',');) row.push_back(word);
    ASSERT_EQ(row.size(), 5U);
    EXPECT_EQ(row[0], std::to_string(i));
    EXPECT_EQ(row[2], row[1] == "0" ? "first" : "second");
    EXPECT_NEAR(std::stof(row[3]), shares[2 * i], 1e-7F);
  }
  expect_error("predict --run " + path("csv") + " --data " + path("values.h5") + " --out " + path("r.h5"),
               {"values.h5", "/inputs", "[3]", "[2]"});
  EXPECT_FALSE(fs::exists(path("r.h5")));
}

TEST_F(DatasetTaskTest, ValuesAreLearntPredictedAndEvaluated) {
  must(train("values.h5", "values",
             "model.hidden=[32] train.epochs=60 train.batch=30 train.learning_rate=0.02"));
  EXPECT_EQ(lines("values/metrics.csv")[0], "epoch,step,split,loss,mse,lr,grad_norm,seconds");
  must("predict --run " + path("values") + " --data " + path("values.h5") + " --out " + path("v.h5"));
  const Hdf5File file = Hdf5File::open(path("v.h5"));
  const auto predicted = file.read<double>("predicted", {400, 2}),
             targets = file.read<double>("targets", {400, 2});
  EXPECT_EQ(file.attribute_texts("predicted", "target_names"), (std::vector<std::string>{"sum", "product"}));
  std::vector<double> errors(2, 0.0);
  for (std::size_t i = 3; i < 400; i += 4)  // the validation samples
    for (std::size_t k = 0; k < 2; ++k)
      errors[k] += std::pow(predicted[2 * i + k] - targets[2 * i + k], 2) / 100;
  std::string table;
  const auto json = evaluation("values.h5", " --run " + path("values"), &table);
  const auto& model = json["models"][1];
  for (std::size_t k = 0; k < 2; ++k)
    EXPECT_NEAR(model["per_target"][k]["mse"].get<double>(), errors[k], 1e-4 * errors[k]);
  EXPECT_EQ(model["per_target"][0]["name"], "sum");
  EXPECT_NEAR(model["mse"]["mean"].get<double>(), (errors[0] + errors[1]) / 2, 1e-4 * errors[0]);
  EXPECT_GT(model["per_target"][0]["r2"].get<double>(), 0.95);
  EXPECT_GT(model["r2"].get<double>(), 0.8);
  EXPECT_NEAR(json["models"][0]["r2"].get<double>(), 0, 0.1);  // the mean explains nothing
  EXPECT_NE(table.find("R2"), std::string::npos) << table;
  must("predict --run " + path("values") + " --data " + path("values.h5") + " --out " + path("v.csv"));
  EXPECT_EQ(lines("v.csv")[0], "row,sum,product,split");
  EXPECT_EQ(lines("v.csv").size(), 401U);
}

TEST_F(DatasetTaskTest, InMemoryAndFromTheFileEndInTheSameBits) {
  const std::string settings =
      " model.hidden=[16] model.dropout=0.2 train.epochs=3 train.batch=32 train.checkpoint_steps=5 "
      "data.resident=";
  must("OMP_NUM_THREADS=1 " + train("values.h5", "kept", settings + "on"));
  must("OMP_NUM_THREADS=2 " + train("values.h5", "streamed", settings + "off"));
  EXPECT_EQ(metrics("kept"), metrics("streamed"));
  const Hdf5File kept = Hdf5File::open(path("kept/last.h5")),
                 streamed = Hdf5File::open(path("streamed/last.h5"));
  for (const char* group : {"model", "optimizer", "transform"})
    for (const Hdf5Entry& entry : kept.list(group)) {
      const std::string object = std::string(group) + "/" + entry.name;
      EXPECT_EQ(kept.read<double>(object), streamed.read<double>(object)) << object;
    }
}

TEST_F(DatasetTaskTest, AResumedRunEndsInTheBitsOfAWholeOne) {
  const std::string settings = " model.hidden=[16] train.batch=32 train.schedule=constant train.epochs=";
  for (const char* data : {"values.h5", "spirals.h5"}) {
    const std::string whole = std::string("whole_") + data, part = std::string("part_") + data;
    must(train(data, whole, settings + "4"));
    must(train(data, part, settings + "2"));
    must(train(data, part, "--resume train.epochs=4"));
    EXPECT_EQ(metrics(whole), metrics(part));
    EXPECT_EQ(bytes(folder() / whole / "last.h5"), bytes(folder() / part / "last.h5"));
  }
  expect_error(train("spirals.h5", "part_values.h5", "--resume train.epochs=5"), {"/inputs", "[2]", "[3]"});
  make_two_spirals(path("other.h5"), 500, 9);
  expect_error(train("other.h5", "part_spirals.h5", "--resume train.epochs=5"),
               {"other.h5", "not the data set"});
}

// Stopped in the middle of an epoch, with augmentation and dropout, the inputs in packed chunks of the file.
TEST_F(DatasetTaskTest, ARunThatWasKilledInAnEpochGoesOnWithTheSameBits) {
  const Rng rng(4, Purpose::kTest);
  std::vector<double> inputs, labels;
  for (std::size_t i = 0; i < std::size_t{200} * 64; ++i) inputs.push_back(std::floor(256 * rng.uniform(i)));
  for (int i = 0; i < 200; ++i) labels.push_back(i % 2);
  DataFileMaker(path("chunked.h5"))
      .add("inputs", H5T_STD_U8LE, {200, 1, 8, 8}, inputs, 16)
      .add("targets", H5T_STD_I32LE, {200}, labels);
  const std::string settings =
      " data.flips=true data.resident=off model.hidden=[8] model.dropout=0.3 train.batch=8 train.epochs=150 "
      "train.checkpoint_steps=7";
  must(train("chunked.h5", "at_once", settings));
  bool interrupted = false;  // after its first checkpoint and before its end, however fast the machine is
  for (const char* seconds : {"0.2", "0.5", "1", "2", "4", "8", "16"}) {
    fs::remove_all(folder() / "killed");
    const Outcome killed = run(concat("OMP_NUM_THREADS=1 timeout -s KILL ", seconds, " ./",
                                      train("chunked.h5", "killed", settings)));
    interrupted = killed.status != 0 && fs::exists(folder() / "killed/last.h5");
    if (interrupted) break;
  }
  ASSERT_TRUE(interrupted);
  must("OMP_NUM_THREADS=2 " + train("chunked.h5", "killed", "--resume data.resident=on"));
  EXPECT_EQ(metrics("at_once"), metrics("killed"));
  const Hdf5File whole = Hdf5File::open(path("at_once/last.h5")),
                 part = Hdf5File::open(path("killed/last.h5"));
  for (const char* group : {"model", "optimizer", "transform"})
    for (const Hdf5Entry& entry : whole.list(group)) {
      const std::string object = std::string(group) + "/" + entry.name;
      EXPECT_EQ(whole.read<double>(object), part.read<double>(object)) << object;
    }
}

TEST_F(DatasetTaskTest, ResNet18LearnsImages) {
  must(train("images.h5", "images", kResNet18 + "4 data.flips=true"));
  must(train("images.h5", "images_part", kResNet18 + "2 data.flips=true"));
  must(train("images.h5", "images_part", "--resume train.epochs=4"));
  EXPECT_EQ(bytes(folder() / "images/last.h5"), bytes(folder() / "images_part/last.h5"));
  expect_learnt("images");
  const auto json = evaluation("images.h5", " --run " + path("images"));
  EXPECT_EQ(json["classes"], 3);
  EXPECT_EQ(json["models"][1]["model"], "resnet18");
  must("predict --run " + path("images") + " --data " + path("images.h5") + " --out " + path("i.h5"));
  EXPECT_EQ(Hdf5File::open(path("i.h5")).describe("probabilities").shape, (Shape{24, 3}));
}

// For the same images, the mean brightness of the upper and of the left half.
TEST_F(DatasetTaskTest, ResNet18LearnsValues) {
  const std::vector<double> pixels = Hdf5File::open(path("images.h5")).read<double>("inputs");
  std::vector<double> halves(48, 0.0);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    if (i / 8 % 8 < 4) halves[2 * (i / 192)] += pixels[i] / 96;
    if (i % 8 < 4) halves[2 * (i / 192) + 1] += pixels[i] / 96;
  }
  DataFileMaker(path("halves.h5"))
      .add("inputs", H5T_STD_U8LE, {24, 3, 8, 8}, pixels)
      .add("targets", H5T_IEEE_F64LE, {24, 2}, halves);
  must(train("halves.h5", "halves", kResNet18 + "12 --overfit"));
  expect_learnt("halves");
  const auto json = evaluation("halves.h5", " --run " + path("halves"));
  EXPECT_EQ(json["values"], 2);
  EXPECT_EQ(json["models"][1]["per_target"].size(), 2U);
}

TEST_F(DatasetTaskTest, DryRunsHelpAndOverfitting) {
  const Outcome dry =
      run("train --dry-run --data " + path("images.h5") + " model.name=resnet18 train.batch=4");
  EXPECT_EQ(dry.status, 0) << dry.output;
  EXPECT_NE(dry.output.find("fc.weight"), std::string::npos) << dry.output;
  const Outcome help = run("train --help --data " + path("images.h5"));
  for (const char* word :
       {"data.resident='auto'", "train.validation_fraction=0.2", "model.hidden=", "task='dataset'"})
    EXPECT_NE(help.output.find(word), std::string::npos) << help.output;
  must(train("spirals.h5", "overfit",
             "--overfit train.batch=20 train.epochs=150 train.schedule=constant train.learning_rate=0.02"));
  const std::vector<std::string> rows = metrics("overfit");
  EXPECT_EQ(rows.size(), 301U);
  EXPECT_NE(rows.back().find(",0,"), std::string::npos) << rows.back();  // no error left
}

TEST_F(DatasetTaskTest, WhatDoesNotFitIsOneSentence) {
  const auto refused = [](const std::string& data, const std::string& more,
                          const std::vector<std::string>& words) {
    expect_error(train(data, "refused", more), words);
    EXPECT_FALSE(fs::exists(path("refused")));
  };
  refused("spirals.h5", "model.name=resnet18",
          {"spirals.h5, /inputs", "resnet18", "[channels, side, side]", "[2]"});
  refused("images.h5", "model.name=um_resnet", {"images.h5, /inputs", "um_resnet", "[3, 8, 8]"});
  refused("values.h5", "loss.label_smoothing=0.1", {"values.h5, /targets", "loss.label_smoothing", "values"});
  refused("values.h5", "data.flips=true", {"values.h5, /inputs", "data.flips", "[3]"});
  refused("values.h5", "task=smf", {"values.h5", "halos"});
  refused("values.h5", "data.resident=maybe", {"data.resident", "auto, on, off"});
  expect_error("train --dry-run task=dataset", {"task=dataset", "--data"});
  must(train("spirals.h5", "two", "train.epochs=1"));
  must(train("spirals.h5", "three", "train.epochs=1 train.split_seed=2"));
  const std::string evaluate = "evaluate --out " + path("no.json") + " --data ";
  expect_error(evaluate + path("values.h5") + " --run " + path("two"),
               {"values.h5", "not the data set", "two"});
  DataFileMaker(path("renamed.h5"))
      .add("inputs", H5T_IEEE_F32LE, {2, 2}, {0, 0, 1, 1})
      .add("targets", H5T_STD_I32LE, {2}, {0, 1})
      .texts("targets", "classes", {"second", "first"});
  expect_error("predict --run " + path("two") + " --data " + path("renamed.h5") + " --out " + path("no.h5"),
               {"renamed.h5, /targets", "'second', 'first'", "'first', 'second'"});
  expect_error(evaluate + path("spirals.h5") + " --run " + path("two") + " " + path("three"),
               {"three", "split"});
  expect_error(evaluate + path("spirals.h5") + " --run " + path("two") + " --forest " + path("f.h5"),
               {"--forest"});
  EXPECT_FALSE(fs::exists(path("no.json")));
}

}  // namespace
}  // namespace umbra

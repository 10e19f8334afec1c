// Ensembles of seeds: their members are ordinary runs, and are trained, resumed, evaluated and protected as such.
#include "tools/common/ensemble.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/io/folder_lock.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/data_files.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

constexpr const char* kRun =
    " model.channels=2 train.batch=4 train.schedule=constant train.seed=5 train.epochs=2";

// A universe of 27 sub-boxes and an ensemble of two seeds for the whole file.
class EnsembleTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    must("mock --out " + path("mock.h5") + " --box-size 75 --seed 3");
    output() = must(train("both", "train.seeds=2"));
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static std::string& output() {
    static std::string text;
    return text;
  }
  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_ensemble_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string train(const std::string& out, const std::string& more) {
    return "train --data " + path("mock.h5") + " --out " + path(out) + kRun + " " + more;
  }
  static std::string resume(const std::string& out, const std::string& more = "") {
    return "train --resume --data " + path("mock.h5") + " --out " + path(out) + " " + more;
  }
  static std::string must(const std::string& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
    return outcome.output;
  }
  static void expect_error(const std::string& command, const std::vector<std::string>& words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 1) << command << "\n" << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << word << "\n" << outcome.output;
  }
  // Stops an ensemble of two while it trains the first; returns a number of epochs with which it can be resumed.
  static std::int64_t interrupt(const std::string& out, const std::string& more) {
    const Outcome stopped = testing_tools::run_and_signal(
        train(out, more + "train.seeds=2 train.epochs=100000"), "epoch 1/", "TERM");
    EXPECT_EQ(stopped.status, 143) << stopped.output;
    EXPECT_TRUE(has(stopped.output, "--out " + path(out) + " --resume\n")) << stopped.output;
    EXPECT_FALSE(has(stopped.output, "member 2 of 2")) << stopped.output;
    const std::string words = "signal after step ";
    const std::size_t at = stopped.output.find(words);
    return at == std::string::npos ? 1 : std::stoll(stopped.output.substr(at + words.size())) / 5 + 2;
  }
  static std::string copy(const std::string& name) {
    fs::remove_all(folder() / name);
    fs::copy(folder() / "both", folder() / name, fs::copy_options::recursive);
    return name;
  }
  static void expect_same(const std::string& a, const std::string& b) {
    for (const char* name : {"last.h5", "best.safetensors", "config.toml"})
      EXPECT_TRUE(bytes(folder() / a / name) == bytes(folder() / b / name)) << a << ' ' << b << ' ' << name;
  }
  static void expect_same_ensembles(const std::string& a, const std::string& b) {
    for (const char* member : {"/seed-1", "/seed-2"}) expect_same(a + member, b + member);
    EXPECT_TRUE(bytes(folder() / a / "config.toml") == bytes(folder() / b / "config.toml")) << a << ' ' << b;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
};

TEST_F(EnsembleTest, ItsMembersAreRuns) {
  must(train("alone", "train.seed=6"));
  expect_same("both/seed-2", "alone");
  EXPECT_FALSE(bytes(folder() / "both/seed-1/last.h5") == bytes(folder() / "both/seed-2/last.h5"));
  for (const char* line :
       {"seed 5, member 1 of 2\n", "seed 6, member 2 of 2\n", "best validation chi2 of 2 seeds "})
    EXPECT_TRUE(has(output(), line)) << line << output();
  EXPECT_FALSE(has(output(), "1 of 2 networks are")) << output();
  EXPECT_EQ(output().find("baselines, "), output().rfind("baselines, ")) << "the data are described once";
  must(resume(copy("longer") + "/seed-1", "train.epochs=3"));
}

TEST_F(EnsembleTest, EvaluateGivesTheScatterOfTheSeedsAndTheMeanPrediction) {
  const std::string data = " --data " + path("mock.h5");
  const std::string table = must("evaluate" + data + " --run " + path("both") + " " + path("both/seed-2") +
                                 " --overwrite --out " + path("e.json"));
  const auto json = nlohmann::json::parse(bytes(folder() / "e.json"));
  ASSERT_EQ(json["models"].size(), 6U);
  const auto& row = json["models"][4];
  ASSERT_EQ(row["members"].size(), 2U);
  EXPECT_EQ(row["members"][1], json["models"][5]);
  EXPECT_EQ(row["members"][0]["run"], path("both/seed-1"));
  const double a = row["members"][0]["chi2"]["mean"].get<double>(),
               b = row["members"][1]["chi2"]["mean"].get<double>();
  EXPECT_EQ(row["seeds"]["count"], 2);
  EXPECT_DOUBLE_EQ(row["seeds"]["chi2"]["mean"].get<double>(), (a + b) / 2);
  EXPECT_NEAR(row["seeds"]["chi2"]["scatter"].get<double>(), std::abs(a - b) / std::sqrt(2), 1e-9 * a);
  EXPECT_TRUE(has(table, "um_resnet C=2, 2 seeds (" + path("both") + ")")) << table;
  EXPECT_TRUE(has(table, "um_resnet C=2, mean prediction (" + path("both") + ")")) << table;

  // predict gives the mean of the members' predictions and their scatter; chi^2 of that mean, by hand.
  std::vector<std::vector<float>> phi;
  for (const char* of : {"both", "both/seed-1", "both/seed-2"}) {
    must("predict" + data + " --run " + path(of) + " --overwrite --out " + path("p.h5"));
    phi.push_back(Hdf5File::open(path("p.h5")).read<float>("smf_predicted", {27, 14}));
    EXPECT_EQ(Hdf5File::open(path("p.h5")).has("smf_predicted_scatter"), phi.size() == 1);
    if (phi.size() == 1)
      phi.push_back(Hdf5File::open(path("p.h5")).read<float>("smf_predicted_scatter", {27, 14}));
  }
  const Hdf5File file = Hdf5File::open(path("p.h5"));
  const auto truth = file.read<float>("smf_true", {27, 14});
  const auto held_out = file.read<std::int64_t>("validation");
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double first = double{phi[2][i]}, second = double{phi[3][i]},
                 largest = std::abs(first) + std::abs(second);
    ASSERT_NEAR(double{phi[0][i]}, (first + second) / 2, 1e-6 * largest);
    ASSERT_NEAR(double{phi[1][i]}, std::abs(first - second) / std::sqrt(2), 1e-6 * largest);
    if (held_out[i / 14] == 0) continue;
    sum += std::pow((double{phi[0][i]} - double{truth[i]}) / json["sigma"][i % 14].get<double>(), 2) / 5;
  }
  EXPECT_NEAR(row["chi2"]["mean"].get<double>(), sum, 1e-4 * sum);
}

TEST_F(EnsembleTest, TheLastEpochOfEveryMemberCanBeEvaluated) {
  fs::copy_file(folder() / "both/seed-2/best.h5", folder() / (copy("epochs") + "/seed-1/best.h5"),
                fs::copy_options::overwrite_existing);
  const auto chi2 = [](const std::string& run, const std::string& more) {
    must("evaluate --data " + path("mock.h5") + " --run " + path(run) + more + " --overwrite --out " +
         path("e.json"));
    const auto json = nlohmann::json::parse(bytes(folder() / "e.json"));
    EXPECT_EQ(json["epoch"], more.empty() ? "best" : "last");
    const auto& row = json["models"][4];
    return (row.contains("members") ? row["members"][0] : row)["chi2"]["mean"].get<double>();
  };
  const double last = chi2("both/seed-1/last.h5", "");
  EXPECT_EQ(chi2("epochs", " --epoch last"), last);
  EXPECT_EQ(chi2("epochs/seed-1", " --epoch last"), last);
  EXPECT_EQ(chi2("epochs", ""), chi2("both/seed-2", ""));
  EXPECT_NE(chi2("epochs", ""), last);
}

TEST_F(EnsembleTest, ResumingTrainsOnlyWhatIsMissing) {
  copy("cut");
  fs::remove_all(folder() / "cut/seed-2");
  fs::create_directories(folder() / "cut/seed-2");  // as after a kill before the first checkpoint
  fs::copy(folder() / "both/seed-2/config.toml", folder() / "cut/seed-2");
  expect_error("evaluate --data " + path("mock.h5") + " --run " + path("cut") + " --out " + path("no.json"),
               {"cut", "member 2 of 2", "train --resume"});
  const auto before = fs::last_write_time(folder() / "cut/seed-1/best.safetensors");
  const std::string resumed = must(resume("cut"));
  EXPECT_TRUE(has(resumed, "seed 5, member 1 of 2: has been trained\n")) << resumed;
  EXPECT_EQ(fs::last_write_time(folder() / "cut/seed-1/best.safetensors"), before);
  expect_same("cut/seed-2", "both/seed-2");
  const auto last_line = [](const std::string& text) { return text.substr(text.rfind("best validation")); };
  EXPECT_EQ(last_line(resumed), last_line(output()));

  must(train("short", "train.seeds=2 train.epochs=1"));
  must(resume("short", "train.epochs=2"));
  for (const char* member : {"/seed-1", "/seed-2"})
    expect_same(std::string("short") + member, std::string("both") + member);
  EXPECT_TRUE(bytes(folder() / "short/config.toml") == bytes(folder() / "both/config.toml"));
}

TEST_F(EnsembleTest, AStoppedOneSaysHowItContinues) {
  const std::int64_t epochs = interrupt("stopped", "");
  const std::string resumed = must(resume("stopped", concat("train.epochs=", epochs)));
  std::size_t changes = 0;
  for (std::size_t at = 0; (at = resumed.find("train.epochs changes", at)) < resumed.size(); ++at) ++changes;
  EXPECT_EQ(changes, 2U) << "once per member\n" << resumed;
  must(train("whole", concat("train.seeds=2 train.epochs=", epochs)));
  expect_same_ensembles("stopped", "whole");
}

TEST_F(EnsembleTest, AStoppedOneContinuesWithTheWeightsItWasGiven) {
  const std::string weights = "--weights " + path("both/seed-2/best.safetensors ");
  const std::int64_t epochs = interrupt("weighted", weights);
  must(resume("weighted", concat("train.epochs=", epochs)));
  must(train("weighted_whole", concat(weights, "train.seeds=2 train.epochs=", epochs)));
  expect_same_ensembles("weighted", "weighted_whole");
}

// What --overwrite replaces is not continued: neither networks with the same settings, which had other weights to begin
// with, nor networks with other settings.
TEST_F(EnsembleTest, AStoppedOneThatReplacesAnotherContinuesOnlyItself) {
  must(train("old", "--overwrite train.seeds=2 --weights " + path("both/seed-2/best.safetensors")));
  for (const char* settings : {"--overwrite ", "--overwrite train.seed=7 train.learning_rate=0.01 "}) {
    const std::int64_t epochs = interrupt("old", settings);
    EXPECT_FALSE(fs::exists(folder() / "old/seed-2/best.h5"));
    must(resume("old", concat("train.epochs=", epochs)));
    must(train("new", concat(settings, "train.seeds=2 train.epochs=", epochs)));
    expect_same_ensembles("old", "new");
  }
}

TEST_F(EnsembleTest, NothingInItsFoldersIsLost) {
  expect_error(train("both", "train.seeds=2"), {"both", "already holds an ensemble", "--resume"});
  expect_error(train("both", ""), {"both", "already holds an ensemble", "--resume"});
  expect_error(train("both/seed-1", "train.seeds=2"), {"seed-1", "already holds a run", "--resume"});
  expect_error(train("both", "--overwrite"), {"both", "already holds an ensemble", "a run by a run"});
  expect_error(train("both/seed-1", "--overwrite train.seeds=2"),
               {"seed-1", "already holds a run", "a run by a run"});
  expect_error(resume("both", "train.seeds=3"), {"train.seeds cannot be changed"});
  fs::create_directories(folder() / "mine/seed-2");
  std::ofstream(folder() / "mine/seed-2/metrics.csv") << "mine\n";
  expect_error(train("mine", "train.seeds=2"), {"seed-2", "metrics.csv", "would be lost"});
  EXPECT_FALSE(fs::exists(folder() / "mine/config.toml") || fs::exists(folder() / "mine/seed-1"));
  fs::remove(folder() / "mine/seed-2/metrics.csv");
  std::ofstream(folder() / "mine/config.toml") << "# my remarks\n";
  expect_error(
      train("mine", "train.seeds=2"),
      {"mine: the folder contains config.toml, which train did not write; config.toml would be lost"});
  expect_error(train("mine", "train.seeds=2 --config " + path("mine/config.toml")),
               {"--config", "would be lost"});
  EXPECT_EQ(bytes(folder() / "mine/config.toml"), "# my remarks\n");
  const std::string evaluate = "evaluate --data " + path("mock.h5") + " --run " + path("both") + " --out ";
  for (const char* out : {"both/config.toml", "both/seed-2/best.h5", "both/seed-1/metrics.csv"})
    expect_error(evaluate + path(out), {"it is the input file of --run '" + path(out), "would be lost"});
  // Members with other settings are not an ensemble.
  std::string config = bytes(folder() / (copy("edited") + "/config.toml"));
  config.replace(config.find("learning_rate = 0.003"), 21, "learning_rate = 0.1  ");
  std::ofstream(folder() / "edited/config.toml") << config;
  expect_error(resume("edited"), {"seed-1/last.h5", "edited/config.toml", "settings"});
  fs::copy(folder() / "both/config.toml", folder() / "edited/config.toml",
           fs::copy_options::overwrite_existing);
  fs::remove_all(folder() / "edited/seed-2");
  must(train("edited/seed-2", "train.seed=6 data.split_seed=2"));
  expect_error(
      "evaluate --data " + path("mock.h5") + " --run " + path("edited") + " --out " + path("no.json"),
      {"seed-2", "data"});
}

TEST_F(EnsembleTest, OverwriteReplacesAllMembers) {
  copy("replaced");
  must(train("replaced", "--overwrite train.seeds=2 train.epochs=1 train.seed=7"));
  must(train("fresh", "train.seeds=2 train.epochs=1 train.seed=7"));
  expect_same_ensembles("replaced", "fresh");
  fs::create_directories(folder() / "fresh/seed-3");
  expect_error(train("fresh", "--overwrite train.seeds=2"), {"fresh/seed-3", "remove it"});
  // The best network of a member that another process trains stays.
  const FolderLock other(folder() / "replaced/seed-2");
  const std::string best = bytes(folder() / "replaced/seed-2/best.h5");
  expect_error(train("replaced", "--overwrite train.seeds=2"), {"replaced/seed-2", "another process"});
  EXPECT_TRUE(bytes(folder() / "replaced/seed-2/best.h5") == best);
}

// A folder of the user that is called seed-1 makes no ensemble, and its run stays.
TEST_F(EnsembleTest, AFolderOfItsNameIsNoEnsemble) {
  fs::create_directories(folder() / "theirs/seed-1");
  const std::string data = " --data " + path("mock.h5");
  must(train("theirs", "train.epochs=1"));
  must("evaluate" + data + " --run " + path("theirs") + " --overwrite --out " + path("e.json"));
  fs::remove_all(folder() / "theirs");
  must(train("theirs/seed-1", "train.epochs=1"));
  const std::string last = bytes(folder() / "theirs/seed-1/last.h5");
  const std::string none = "theirs/config.toml is not the configuration of an ensemble";
  for (const char* more : {"", "--overwrite "})
    expect_error(train("theirs", std::string(more) + "train.seeds=2"),
                 {"theirs/seed-1: this folder already holds a run", none, "choose another folder"});
  expect_error(resume("theirs"),
               {"theirs/last.h5: no checkpoint to resume from", "theirs/seed-1 is a run", none});
  expect_error("predict" + data + " --run " + path("theirs") + " --out " + path("no.h5"),
               {"theirs: no such run"});
  EXPECT_TRUE(bytes(folder() / "theirs/seed-1/last.h5") == last);
  must(train("theirs", "train.epochs=1"));  // a run may be next to it
}

TEST_F(EnsembleTest, OfADataSet) {
  make_two_spirals(path("spirals.h5"), 200, 1);
  make_values(path("values.h5"));
  for (const char* name : {"spirals", "values"}) {
    const std::string data = " --data " + path(std::string(name) + ".h5"), out = path(name);
    must("train" + data + " --out " + out + " model.hidden=[8] train.epochs=3 train.seeds=2");
    const bool classes = std::string(name) == "spirals";
    const char* of = classes ? "probabilities" : "predicted";
    std::vector<std::vector<double>> predicted;
    for (const char* member : {"", "/seed-1", "/seed-2"}) {
      must("predict" + data + " --run " + out + member + " --overwrite --out " + path("p.h5"));
      predicted.push_back(Hdf5File::open(path("p.h5")).read<double>(of));
    }
    for (std::size_t i = 0; i < predicted[0].size(); ++i)
      ASSERT_NEAR(predicted[0][i], (predicted[1][i] + predicted[2][i]) / 2,
                  1e-6 * std::abs(predicted[0][i]) + 1e-7);
    const std::string table =
        must("evaluate" + data + " --run " + out + " --overwrite --out " + path("e.json"));
    EXPECT_TRUE(has(table, "mlp 8, 2 seeds (" + out + ")") && has(table, "mlp 8, mean prediction ("))
        << table;
    const auto row = nlohmann::json::parse(bytes(folder() / "e.json"))["models"][1];
    const char* score = classes ? "cross_entropy" : "mse";
    double mean = 0;
    for (const auto& member : row["members"]) mean += member[score]["mean"].get<double>() / 2;
    EXPECT_DOUBLE_EQ(row["seeds"][score]["mean"].get<double>(), mean);
    EXPECT_LT(row[score]["mean"].get<double>(), mean);  // both scores are convex in the prediction
  }
}

TEST(Ensemble, MeanAndScatter) {
  const MeanAndScatter all = mean_and_scatter({{1, 5}, {2, 5}, {6, 5}});
  EXPECT_EQ(all.mean, (std::vector<double>{3, 5}));
  EXPECT_DOUBLE_EQ(all.scatter[0], std::sqrt(7));
  EXPECT_EQ(all.scatter[1], 0);
  EXPECT_EQ(mean_and_scatter({{1, 5}}).scatter, (std::vector<double>{0, 0}));
}

}  // namespace
}  // namespace umbra

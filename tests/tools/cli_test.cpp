// The tools end to end on a small mock universe: mock, train, kill, resume, predict, evaluate; and their
// messages about bad input.
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "data/catalogs/catalog.h"
#include "engine/base/error.h"
#include "engine/cpu/bf16_tile.h"
#include "engine/io/hdf5.h"
#include "engine/io/safetensors.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;
using testing_tools::run_and_signal;

// One universe of 27 sub-boxes for the whole file.
class CliTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    const Outcome made = run("mock --out " + path("mock.h5") + " --box-size 75 --seed 3");
    ASSERT_EQ(made.status, 0) << made.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_cli_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string train(const std::string& out, const std::string& more = "") {
    return "train --data " + path("mock.h5") + " --out " + path(out) +
           " model.channels=4 train.batch=4 train.epochs=3 " + more;
  }
  /// Runs a command that must fail with `status` and one line that holds every one of `words`; `leftover`
  /// must not appear.
  static void expect_error(const std::string& command, int status, const std::vector<std::string>& words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, status) << command << "\n" << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << command << "\n" << outcome.output;
    if (status == 1) {
      EXPECT_EQ(testing_tools::line_count(outcome.output), 1) << outcome.output;
    }
  }
};

using Json = nlohmann::json;

// What train writes for the figure of the loss: the numbers of evaluate.
void expect_baselines(const Json& written, const Json& evaluation) {
  EXPECT_EQ(written["metric"], "chi2");
  ASSERT_EQ(written["baselines"].size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const double evaluated_as = i < 3 ? evaluation["models"][i]["chi2"]["mean"].get<double>()
                                      : evaluation["poisson_chi2"].get<double>();
    EXPECT_NEAR(written["baselines"][i]["value"].get<double>(), evaluated_as, 1e-5 * evaluated_as);
  }
  EXPECT_EQ(written["baselines"][0]["name"], evaluation["models"][0]["name"]);
}

// chi^2 consists of the mean residuals and of their scatter over boxes.
void expect_parts(const Json& evaluation, double chi2, double boxes) {
  double parts = 0;
  for (std::size_t b = 0; b < 14; ++b) {
    const auto at = [&](const auto& list) { return list[b].template get<double>(); };
    const double mean = at(evaluation["models"].back()["smf_mean"]) - at(evaluation["smf_true_mean"]),
                 scatter = at(evaluation["models"].back()["residual_standard_deviation"]);
    parts += (mean * mean + scatter * scatter * (boxes - 1) / boxes) / std::pow(at(evaluation["sigma"]), 2);
  }
  EXPECT_NEAR(parts, chi2, 1e-4 * chi2);
}

// What figures need to show the observed mass function in the catalog's units.
void expect_observed(const Json& evaluation) {
  EXPECT_EQ(evaluation["h"], 0.678);
  EXPECT_EQ(evaluation["subbox_size_mpc_per_h"], 25.0);
  EXPECT_EQ(evaluation["observed_smf"]["h"], 0.7);
  EXPECT_EQ(evaluation["observed_smf"]["phi"].size(), 14U);
  EXPECT_EQ(evaluation["observed_smf"]["low_log10_msun"][0], 10.2);
  EXPECT_EQ(evaluation["observed_smf"]["phi"][0], 0.00526954738680863);
  EXPECT_EQ(evaluation["observed_smf"]["error_low"][0], 0.000179185054713184);
}

TEST_F(CliTest, TrainPredictEvaluate) {
  const Outcome trained = run(train("run"));
  ASSERT_EQ(trained.status, 0) << trained.output;
  EXPECT_NE(trained.output.find("epoch 3/3"), std::string::npos) << trained.output;
  for (const char* name : {"config.toml", "metrics.csv", "last.h5", "best.h5", "best.safetensors"}) {
    EXPECT_TRUE(fs::exists(folder() / "run" / name)) << name;
  }
  EXPECT_EQ(bytes(folder() / "run/metrics.csv").substr(0, 48),
            "epoch,step,split,loss,chi2,lr,grad_norm,seconds\n");

  const Outcome predicted =
      run("predict --run " + path("run") + " --data " + path("mock.h5") + " --out " + path("p.h5"));
  ASSERT_EQ(predicted.status, 0) << predicted.output;
  const Hdf5File file = Hdf5File::open(path("p.h5"));
  const std::vector<float> phi = file.read<float>("smf_predicted", {27, 14});
  const std::vector<float> truth = file.read<float>("smf_true", {27, 14});
  const std::vector<std::int64_t> held_out = file.read<std::int64_t>("validation");

  const Outcome evaluated =
      run("evaluate --data " + path("mock.h5") + " --run " + path("run") + " --out " + path("e.json"));
  ASSERT_EQ(evaluated.status, 0) << evaluated.output;
  const auto json = nlohmann::json::parse(bytes(folder() / "e.json"));
  ASSERT_EQ(json["models"].size(), 5U);  // four baselines
  // The same chi^2 from the predictions, by hand, and that of Poisson noise.
  double sum = 0, boxes = 0, noise = 0;
  for (std::size_t i = 0; i < 27; ++i) {
    if (held_out[i] == 0) continue;
    ++boxes;
    for (std::size_t b = 0; b < 14; ++b) {
      const double d = static_cast<double>(phi[14 * i + b]) - static_cast<double>(truth[14 * i + b]);
      const double variance = json["sigma"][b].get<double>() * json["sigma"][b].get<double>();
      sum += d * d / variance;
      noise += static_cast<double>(truth[14 * i + b]) / (std::pow(25.0, 3) * variance);
    }
  }
  EXPECT_EQ(boxes, 5);
  EXPECT_NEAR(json["models"].back()["chi2"]["mean"].get<double>(), sum / boxes, 1e-4 * sum / boxes);
  EXPECT_NEAR(json["poisson_chi2"].get<double>(), noise / boxes, 1e-5 * noise / boxes);
  expect_baselines(nlohmann::json::parse(bytes(folder() / "run/baselines.json")), json);
  expect_parts(json, sum / boxes, boxes);
  expect_observed(json);
  EXPECT_EQ(file.attribute_number("/", "h"), 0.678);
}

TEST_F(CliTest, ACatalogWithoutStellarMassesCanBePredictedButNotTrainedOn) {
  Catalog catalog = read_catalog(path("mock.h5"));
  catalog.columns.erase("stellar_mass");
  write_catalog(path("halos.h5"), catalog);
  ASSERT_EQ(run(train("run_for_halos")).status, 0);
  const Outcome predicted = run("predict --run " + path("run_for_halos") + " --data " + path("halos.h5") +
                                " --out " + path("h.h5"));
  ASSERT_EQ(predicted.status, 0) << predicted.output;
  const Hdf5File file = Hdf5File::open(path("h.h5"));
  EXPECT_FALSE(file.has("smf_true"));
  for (float v : file.read<float>("smf_predicted", {27, 14})) ASSERT_TRUE(std::isfinite(v));
  expect_error("train --data " + path("halos.h5") + " --out " + path("no"), 1, {"halos.h5", "stellar_mass"});
  EXPECT_FALSE(fs::exists(folder() / "no"));
  expect_error(
      "evaluate --data " + path("halos.h5") + " --run " + path("run_for_halos") + " --out " + path("no.json"),
      1, {"stellar_mass"});
}

TEST_F(CliTest, OneThreadTwoThreadsAndASecondRunGiveTheSameBits) {
  ASSERT_EQ(run("OMP_NUM_THREADS=1 " + train("one")).status, 0);
  ASSERT_EQ(run("OMP_NUM_THREADS=2 " + train("two")).status, 0);
  ASSERT_EQ(run("OMP_NUM_THREADS=2 " + train("again")).status, 0);
  EXPECT_EQ(bytes(folder() / "one/best.safetensors"), bytes(folder() / "two/best.safetensors"));
  EXPECT_EQ(bytes(folder() / "one/last.h5"), bytes(folder() / "two/last.h5"));
  EXPECT_EQ(bytes(folder() / "two/last.h5"), bytes(folder() / "again/last.h5"));
  ASSERT_EQ(run(train("other", "train.seed=2")).status, 0);
  EXPECT_NE(bytes(folder() / "one/best.safetensors"), bytes(folder() / "other/best.safetensors"));
}

// SIGKILL somewhere in the middle, twice, and SIGTERM once; the resumed run must end bit-identical to an uninterrupted one.
TEST_F(CliTest, KilledAndResumedEndsInTheSameBits) {
  const std::string settings = "train.epochs=300 train.checkpoint_steps=3";
  ASSERT_EQ(run(train("whole", settings)).status, 0);
  const auto next = [&] {  // a busy machine may not have written a checkpoint yet
    if (fs::exists(folder() / "killed/last.h5"))
      return "train --resume --data " + path("mock.h5") + " --out " + path("killed");
    fs::remove_all(folder() / "killed");
    return train("killed", settings);
  };
  const Outcome killed = run_and_signal(next(), "epoch 50/300", "KILL");
  EXPECT_EQ(killed.status, 137) << killed.output;
  const Outcome stopped = run_and_signal(next(), "epoch ", "TERM");
  EXPECT_EQ(stopped.status, 143) << stopped.output;
  const Outcome again = run_and_signal(next(), "epoch ", "KILL");
  EXPECT_EQ(again.status, 137) << again.output;
  const Outcome last = run(next());
  ASSERT_EQ(last.status, 0) << last.output;
  for (const char* name : {"last.h5", "best.h5", "best.safetensors"}) {
    EXPECT_EQ(bytes(folder() / "killed" / name), bytes(folder() / "whole" / name)) << name;
  }
  const auto without_seconds = [](const std::string& text) {
    std::istringstream lines(text);
    std::string kept;
    for (std::string line; std::getline(lines, line);) kept += line.substr(0, line.rfind(',')) + "\n";
    return kept;
  };
  EXPECT_EQ(without_seconds(bytes(folder() / "killed/metrics.csv")),
            without_seconds(bytes(folder() / "whole/metrics.csv")));
}

TEST_F(CliTest, OverfitLearnsABatchByHeart) {
  const Outcome outcome = run(
      "train --overfit --data " + path("mock.h5") + " --out " + path("overfit") +
      " model.channels=8 train.batch=4 train.epochs=300 train.schedule=constant train.learning_rate=0.01");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const std::string metrics = bytes(folder() / "overfit/metrics.csv");
  double first = 0, last = 0;
  std::istringstream lines(metrics);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    if (line.find(",train,") == std::string::npos) continue;
    const double chi2 = std::stod(line.substr(line.find(",train,") + 7));
    if (first == 0) first = chi2;
    last = chi2;
  }
  EXPECT_LT(last, 0.02 * first);
}

TEST_F(CliTest, DryRunCountsLiveAndDeadParameters) {
  const Outcome outcome = run("train --dry-run");
  EXPECT_EQ(outcome.status, 0);
  for (const char* words :
       {"859142, of which 299142 live and 560000 dead", "per step of 32 boxes", "32 boxes are assumed",
        "memory          5.6 MiB weights and optimiser, 11.1 MiB two copies of them for checkpoints, "})
    EXPECT_NE(outcome.output.find(words), std::string::npos) << words << outcome.output;
}

TEST_F(CliTest, DryRunNamesTheRungAndThePrecision) {
  const std::string fp32 = run("train --dry-run").output;
  EXPECT_EQ(fp32.find("bf16"), std::string::npos) << fp32;
  EXPECT_NE(fp32.find("p1x1x1 (cpu_2_tiles)"), std::string::npos) << fp32;
  const std::string rung = bf16_tile_supported() ? "cpu_6_bf16" : "cpu_4_rounded";
  const Outcome bf16 = run("train --dry-run precision=bf16");
  EXPECT_EQ(bf16.status, 0) << bf16.output;
  EXPECT_NE(bf16.output.find("p1x1x1 bf16 (" + rung + ")"), std::string::npos) << bf16.output;
  const Outcome tf32 = run("train --dry-run precision=tf32");
  EXPECT_EQ(tf32.status, 0) << tf32.output;
  for (const char* layer : {"p1x1x1 tf32 (cpu_4_rounded)", "f80:320 tf32 (cpu_4_rounded)"})
    EXPECT_NE(tf32.output.find(layer), std::string::npos) << tf32.output;
}

TEST_F(CliTest, WeightsGoOutAndComeBackIn) {
  ASSERT_EQ(run(train("source")).status, 0);
  const std::string weights = path("source/best.safetensors");
  EXPECT_EQ(read_safetensors(weights).metadata.at("format"), "pt");
  ASSERT_EQ(run(train("from_weights", "--weights " + weights)).status, 0);
  expect_error("train --data " + path("mock.h5") + " --out " + path("misfit") +
                   " model.channels=8 train.batch=4 --weights " + weights,
               1, {"best.safetensors", "shape"});
}

TEST_F(CliTest, HelpNamesEverySettingAndUsageErrorsAreTwo) {
  for (const char* tool : {"train", "predict", "evaluate", "mock", "import", "forest"}) {
    const Outcome version = run(std::string(tool) + " --version");
    EXPECT_EQ(version.status, 0) << tool;
    EXPECT_EQ(version.output, "umbra 0.1.0\n") << tool;
  }
  for (const char* tool : {"train", "predict", "evaluate", "mock", "import camels"}) {
    const Outcome help = run(std::string(tool) + " --help");
    EXPECT_EQ(help.status, 0) << tool;
    EXPECT_NE(help.output.find("--out"), std::string::npos) << help.output;
  }
  EXPECT_NE(run("train --help").output.find("train.learning_rate=0.003"), std::string::npos);
  expect_error("train --nonsense", 2, {"--nonsense"});
  expect_error("predict", 2, {"--run"});
  expect_error("train --out " + path("nothing"), 2, {"--data"});
}

TEST_F(CliTest, BadInputIsOneSentence) {
  const std::string data = " --data " + path("mock.h5"), out = " --out " + path("bad");
  expect_error("train --data " + path("missing.h5") + out, 1, {"missing.h5"});
  std::ofstream(path("text.h5")) << "not an HDF5 file";
  expect_error("train --data " + path("text.h5") + out, 1, {"text.h5"});
  std::ofstream(path("half.h5"), std::ios::binary) << bytes(path("mock.h5")).substr(0, 30000);
  expect_error("train --data " + path("half.h5") + out, 1, {"half.h5"});
  expect_error("train" + data + out + " train.epochs=0", 1, {"train.epochs", "between 1 and"});
  expect_error("train" + data + out + " train.learning_rate=fast", 1, {"train.learning_rate", "number"});
  expect_error("train" + data + out + " train.lr=1", 1, {"no setting train.lr"});
  expect_error("train" + data + out + " precision=fp16", 1, {"precision=fp16", "tf32", "bf16"});
  expect_error("train" + data + out + " device=tpu", 1, {"device=tpu"});
  expect_error("train" + data + out + " device=cuda", 1, {"cuda"});
  expect_error("train" + data + out + " kernels=conv_fprop=magic", 1, {"magic"});
  expect_error("train" + data + out + " data.features=colour", 1, {"colour"});
  expect_error("train" + data + out + " data.subbox_size=40", 1, {"40", "divide"});
  expect_error("train" + data + out + " train.batch=1000", 1, {"1000", "22 training boxes"});
  expect_error("train" + data + out + " data.validation_boxes=5,99", 1, {"99"});
  expect_error("train" + data + out + " --config " + path("missing.toml"), 1, {"missing.toml"});
  expect_error("train --resume" + data + out, 1, {"no checkpoint to resume from"});
  expect_error("predict --run " + path("nowhere") + data + out, 1, {"nowhere"});
  expect_error("predict --run " + path("text.h5") + data + out, 1, {"text.h5"});
  expect_error("mock --out /nonexistent/folder/m.h5 --box-size 50", 1, {"/nonexistent/folder"});
  EXPECT_FALSE(fs::exists(folder() / "bad"));
  ASSERT_EQ(run(train("twice")).status, 0);
  expect_error(train("twice"), 1, {"already holds a run", "--resume"});
}

TEST_F(CliTest, ARunGoesOnOnlyAsItBegan) {
  ASSERT_EQ(run(train("first")).status, 0);
  ASSERT_EQ(run("mock --out " + path("other.h5") + " --box-size 75 --seed 4").status, 0);
  const std::string resume = "train --resume --data " + path("mock.h5") + " --out " + path("first");
  expect_error("train --resume --data " + path("other.h5") + " --out " + path("first"), 1,
               {"other.h5", "not the catalog"});
  expect_error(resume + " train.batch=8", 1, {"train.batch cannot be changed"});
  expect_error(resume + " --overfit", 1, {"--overfit"});
  expect_error(
      "evaluate --data " + path("other.h5") + " --run " + path("first") + " --out " + path("no.json"), 1,
      {"other.h5", "not the catalog"});
  EXPECT_EQ(run(resume + " train.epochs=4 train.batch=auto").status, 0);  // the batch that it chose
}

TEST_F(CliTest, CatalogsWithNothingToLearnFromAreRefused) {
  const auto changed = [&](const std::string& name, const std::string& column, double value, bool all) {
    Catalog catalog = read_catalog(path("mock.h5"));
    std::vector<double>& numbers = catalog.columns[column];
    for (std::size_t i = 0; i < (all ? numbers.size() : 1); ++i) numbers[i] = value;
    write_catalog(path(name), catalog);
    return "train --data " + path(name) + " --out " + path("nothing") +
           " model.channels=4 train.batch=4 train.epochs=1";
  };
  expect_error(changed("slow.h5", "vpeak", 10, true), 1, {"slow.h5", "no halo has vpeak >= 150"});
  expect_error(changed("dark.h5", "stellar_mass", 1, true), 1, {"dark.h5", "no galaxy"});
  Catalog catalog = read_catalog(path("mock.h5"));
  for (auto& [name, numbers] : catalog.columns) numbers.clear();
  for (auto& [name, numbers] : catalog.integers) numbers.clear();
  write_catalog(path("empty.h5"), catalog);
  expect_error("train --data " + path("empty.h5") + " --out " + path("nothing"), 1, {"empty.h5", "no halo"});
  EXPECT_FALSE(fs::exists(folder() / "nothing"));
}

// A full disk is simulated by the shell's limit on the size of files, which makes writes fail in the same
// way.
TEST_F(CliTest, AFullDiskIsASentenceAndLeavesNoHalfFile) {
  if (std::string_view(UMBRA_SANITIZER) == "thread") {
    GTEST_SKIP()
        << "ThreadSanitizer maps a file of its own at start-up and dies under the limit on the size of "
           "files that simulates a full disk here";
  }
  ASSERT_EQ(run(train("full")).status, 0);
  const std::string before = bytes(folder() / "full/last.h5");
  const Outcome mocked =
      run("bash -c \"trap '' XFSZ; ulimit -f 20; mock --out " + path("full.h5") + " --box-size 75\"");
  EXPECT_EQ(mocked.status, 1) << mocked.output;
  EXPECT_NE(mocked.output.find("full.h5"), std::string::npos) << mocked.output;
  EXPECT_FALSE(fs::exists(path("full.h5")));
  const Outcome resumed = run("bash -c \"trap '' XFSZ; ulimit -f 20; train --resume --data " +
                              path("mock.h5") + " --out " + path("full") + " train.epochs=5\"");
  EXPECT_EQ(resumed.status, 1) << resumed.output;
  EXPECT_NE(resumed.output.find("/full/"), std::string::npos) << resumed.output;
  EXPECT_EQ(bytes(folder() / "full/last.h5"), before);
  for (const auto& entry : fs::recursive_directory_iterator(folder())) {
    EXPECT_NE(entry.path().filename().string()[0], '.')
        << entry.path();  // the names of temporary files begin with a dot
  }
}

}  // namespace
}  // namespace umbra

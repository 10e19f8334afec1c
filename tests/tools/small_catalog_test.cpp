// Small catalogs train without further settings, every number that is chosen for them is printed and recorded, and a
// training that learns nothing, or no longer, ends with that remark.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "data/catalogs/catalog.h"
#include "engine/base/philox.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/data_files.h"
#include "tests/fixtures/run_tool.h"
#include "tools/common/forest_file.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

// A universe of 60 Mpc/h, in which 25 does not fit, for the whole file.
class SmallCatalogTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    must("mock --box-size 60 --out " + path("c.h5"));
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_small_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string train(const std::string& data, const std::string& out, const std::string& more = "") {
    return "train --data " + path(data) + " --out " + path(out) + " " + more;
  }
  static std::string must(const std::string& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
    return outcome.output;
  }
  static void expect_error(const std::string& command, const std::string& line) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 1) << command << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(line + "\n"), std::string::npos) << outcome.output;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  static nlohmann::json evaluation(const std::string& data, const std::string& more,
                                   std::string* table = nullptr) {
    const std::string printed =
        must("evaluate --data " + path(data) + " " + more + " --overwrite --out " + path("e.json"));
    if (table) *table = printed;
    return nlohmann::json::parse(bytes(folder() / "e.json"));
  }
  // The number after `words` in `text`.
  static double number_after(const std::string& text, const std::string& words) {
    const std::size_t at = text.find(words);
    EXPECT_NE(at, std::string::npos) << words << "\n" << text;
    return at == std::string::npos ? std::nan("") : std::stod(text.substr(at + words.size()));
  }
};

// Cubes of 25 Mpc/h with a few halos each.
Catalog cubes(std::int64_t count) {
  Catalog catalog;
  catalog.box_size = 25;
  catalog.boxes = count;
  const Rng rng(9, Purpose::kTest);
  for (std::int64_t cube = 0; cube < count; ++cube) {
    for (std::int64_t halo = 0; halo < 20; ++halo) {
      const auto i = static_cast<std::uint64_t>(cube * 20 + halo);
      for (std::uint64_t axis = 0; axis < 3; ++axis)
        catalog.columns[std::string(1, "xyz"[axis])].push_back(25 * rng.uniform(8 * i + axis));
      catalog.columns["vpeak"].push_back(100 / std::sqrt(rng.uniform(8 * i + 3) + 0.01));
      catalog.columns["stellar_mass"].push_back(std::pow(10, 10 + 1.8 * rng.uniform(8 * i + 5)));
      catalog.integers["box"].push_back(cube);
    }
  }
  return catalog;
}

TEST_F(SmallCatalogTest, ABoxOf60TrainsPredictsAndIsEvaluatedWithoutFurtherOptions) {
  const std::string trained = must(train("c.h5", "run", "model.channels=2 train.epochs=2"));
  EXPECT_TRUE(trained.starts_with(
      "data.subbox_size=20 (27 sub-boxes): sub-boxes of 25 Mpc/h do not divide the box of 60 Mpc/h\n"
      "train.batch=11: there are 22 training boxes\n"
      "27 sub-boxes: 22 to train on, 5 to validate on; um_resnet on cpu\n"))
      << trained;
  const std::string dry = must("train --dry-run --data " + path("c.h5") + " model.channels=2");
  EXPECT_TRUE(has(dry, "per step of 11 boxes") && !has(dry, "assumed")) << dry;
  const std::string config = bytes(folder() / "run/config.toml");
  EXPECT_TRUE(has(config, "\nsubbox_size = 20.0 ") && has(config, "\nbatch = 11 ")) << config;
  must(train("c.h5", "run", "--resume train.epochs=3"));
  must("predict --run " + path("run") + " --data " + path("c.h5") + " --overwrite --out " + path("p.h5"));
  EXPECT_EQ(Hdf5File::open(path("p.h5")).attribute_number("/", "subbox_size"), 20);
  EXPECT_TRUE(has(must("forest fit --trees 3 --data " + path("c.h5") + " --out " + path("f.h5")),
                  "--subbox-size 20 (27 sub-boxes): "));
  EXPECT_EQ(read_forest(path("f.h5")).subbox_size, 20);
  const auto json = evaluation("c.h5", "--run " + path("run") + " --forest " + path("f.h5"));
  EXPECT_EQ(json["models"].size(), 8U);  // four baselines, the forest three ways, the network

  // The baselines that train printed are those of evaluate.
  const double mean = json["models"][0]["chi2"]["mean"].get<double>(),
               ridge = json["models"][1]["chi2"]["mean"].get<double>();
  EXPECT_NEAR(number_after(trained, "baselines, validation chi2: mean SMF "), mean, 1e-3 * mean);
  EXPECT_NEAR(number_after(trained, "ridge on the histogram of the input "), ridge, 1e-3 * ridge);
}

TEST_F(SmallCatalogTest, PlotChoosesTheSameSizeOfSubBoxes) {
  std::string python;
  for (const char* name : {"python3", "/usr/bin/python3"})
    if (python.empty() && run(std::string(name) + " -c 'import matplotlib, h5py'").status == 0) python = name;
  if (python.empty()) GTEST_SKIP() << "no python3 with matplotlib and h5py: plot.py cannot be run";
  const std::string slice =
      python + " " UMBRA_SOURCE_DIR "/tools/plot.py slice --data " + path("c.h5") + " --out ";
  must(slice + path("chosen"));
  must(slice + path("given") + " --subbox-size 20");
  EXPECT_TRUE(bytes(folder() / "chosen.png") == bytes(folder() / "given.png"));
}

TEST_F(SmallCatalogTest, SettingsThatDoNotFitAreRefusedWithTheWordsToAdd) {
  const std::string paper = std::string("--config ") + UMBRA_SOURCE_DIR + "/models/configs/paper.toml ";
  const std::string file = path("c.h5");
  expect_error(
      train("c.h5", "paper", paper),
      "train: " + file +
          ": sub-boxes of 25 Mpc/h do not divide the box of 60 Mpc/h; add data.subbox_size=20 (27 sub-boxes)");
  expect_error(train("c.h5", "paper", paper + "data.subbox_size=20"),
               "train: " + file + ": train.batch=32 is more than the 22 training boxes; add train.batch=11");
  must(train("c.h5", "paper",
             paper + "data.subbox_size=20 train.batch=11 model.channels=2 train.epochs=1 "
                     "train.step_epochs=[] train.step_rates=0.01"));
  must(train("c.h5", "auto",
             paper + "data.subbox_size=auto train.batch=auto model.channels=2 train.epochs=1 "
                     "train.step_epochs=[] train.step_rates=0.01"));
  EXPECT_TRUE(bytes(folder() / "paper/last.h5") == bytes(folder() / "auto/last.h5"));
  expect_error(
      "forest fit --subbox-size 25 --data " + file + " --out " + path("no.h5"),
      "forest: " + file +
          ": sub-boxes of 25 Mpc/h do not divide the box of 60 Mpc/h; add --subbox-size 20 (27 sub-boxes)");
  expect_error(
      train("c.h5", "whole", "data.subbox_size=60"),
      "train: " + file +
          ": one sub-box of 60 Mpc/h cannot both train and validate; add data.subbox_size=20 (27 sub-boxes)");
  EXPECT_EQ(run("forest fit --subbox-size wide --data " + file + " --out " + path("no.h5")).status, 2);
}

// The fewest boxes with which nothing is left out are eight, the fewest for small models six to train on.
TEST_F(SmallCatalogTest, WithFewTrainingBoxesSmallModelsAreLeftOut) {
  const std::string few =
      must(train("c.h5", "few", "data.train_fraction=0.15 model.channels=2 train.epochs=1"));
  const std::string note =
      "small models are left out, because they need at least 6 training boxes and there are 4\n";
  EXPECT_TRUE(has(few, note)) << few;
  EXPECT_TRUE(has(few, "train.batch=2: there are 4 training boxes\n")) << few;
  EXPECT_FALSE(has(few, "ridge on")) << few;
  std::string table;
  EXPECT_EQ(evaluation("c.h5", "--run " + path("few"), &table)["models"].size(), 2U);
  EXPECT_TRUE(has(table, note)) << table;
  must(train("c.h5", "six", "data.train_fraction=0.22 model.channels=2 train.epochs=1"));
  EXPECT_EQ(evaluation("c.h5", "--run " + path("six"))["models"].size(), 5U);
}

// 64 training boxes, in cubes that are sub-boxes themselves.
TEST_F(SmallCatalogTest, CatalogsThatAreNotSmallGiveTheBitsOfTheUsualNumbers) {
  write_catalog(path("cubes.h5"), cubes(80));
  const std::string settings = "model.channels=2 train.epochs=1";
  const std::string trained = must(train("cubes.h5", "chosen", settings));
  EXPECT_TRUE(trained.starts_with("80 sub-boxes: 64 to train on, 16 to validate on")) << trained;
  must(train("cubes.h5", "given", settings + " train.batch=32 data.subbox_size=25"));
  for (const char* name : {"last.h5", "best.safetensors", "config.toml"})
    EXPECT_TRUE(bytes(folder() / "chosen" / name) == bytes(folder() / "given" / name)) << name;
}

TEST_F(SmallCatalogTest, ATrainingThatLearnsNothingIsReported) {
  const std::string nothing =
      must(train("c.h5", "nothing", "model.channels=2 train.epochs=2 train.learning_rate=1e-9"));
  EXPECT_TRUE(has(nothing, "no epoch was better than the mean SMF: the network has learnt nothing useful;"))
      << nothing;
  const auto json = evaluation("c.h5", "--run " + path("nothing"));
  const double best = number_after(nothing, "best validation chi2 ");
  EXPECT_NEAR(best, json["models"].back()["chi2"]["mean"].get<double>(), 1e-3 * best);
  EXPECT_GE(best, json["models"][0]["chi2"]["mean"].get<double>());
}

TEST_F(SmallCatalogTest, BaselinesOfClassesAndOfValues) {
  make_two_spirals(path("spirals.h5"), 500, 1);
  make_values(path("values.h5"));
  const std::pair<const char*, const char*> cases[] = {{"spirals.h5", "error: most frequent class "},
                                                       {"values.h5", "mse: mean of the training targets "}};
  for (const auto& [data, words] : cases) {
    const std::string trained = must(train(data, std::string("run_") + data,
                                           "model.hidden=[32] train.epochs=20 train.learning_rate=0.02"));
    EXPECT_FALSE(has(trained, "learnt nothing useful")) << trained;
    const auto constant = evaluation(data, "--run " + path(std::string("run_") + data))["models"][0];
    const double expected = constant[constant.contains("mse") ? "mse" : "error"]["mean"].get<double>();
    EXPECT_NEAR(number_after(trained, std::string("baselines, validation ") + words), expected,
                1e-3 * expected);
  }
}

// With a learning rate of 0 only the running statistics change, so the metric soon becomes no better.
TEST_F(SmallCatalogTest, PatienceEndsARunAndAResumedOneAtTheSameStep) {
  const std::string settings =
      "model.channels=2 train.learning_rate=0 train.schedule=constant train.patience=3 train.checkpoint_steps=1 ";
  const std::string whole = must(train("c.h5", "whole", settings + "train.epochs=50"));
  const double end = number_after(whole, "stopped after epoch ");
  EXPECT_LT(end, 50);
  EXPECT_EQ(number_after(whole, " in epoch "), end - 3) << whole;
  EXPECT_TRUE(has(whole, concat(": the validation chi2 has not become better since epoch ", end - 3,
                                " (train.patience=3)\n")))
      << whole;
  must(train("c.h5", "part", concat(settings, "train.epochs=", end - 1)));
  const std::string rest = must(train("c.h5", "part", "--resume train.epochs=50"));
  EXPECT_EQ(number_after(rest, "stopped after epoch "), end);
  for (const char* name : {"last.h5", "best.safetensors"})
    EXPECT_TRUE(bytes(folder() / "whole" / name) == bytes(folder() / "part" / name)) << name;
  // It stays stopped, until it is given more patience.
  EXPECT_EQ(number_after(must(train("c.h5", "part", "--resume")), "stopped after epoch "), end);
  EXPECT_TRUE(bytes(folder() / "whole/last.h5") == bytes(folder() / "part/last.h5"));
  const std::string more =
      must(train("c.h5", "part", concat("--resume train.patience=0 train.epochs=", end + 1)));
  EXPECT_TRUE(has(more, concat("epoch ", end + 1, "/"))) << more;
}

}  // namespace
}  // namespace umbra

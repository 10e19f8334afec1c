// A cross-validation end to end: every tool leaves out the boxes of the fold that the run names.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "data/catalogs/catalog.h"
#include "engine/io/hdf5.h"
#include "tests/fixtures/run_tool.h"
#include "tools/common/forest_file.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

// One universe of 27 sub-boxes for the whole file.
class FoldsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    must("mock --box-size 75 --seed 3 --out " + path("c.h5"));
    must("train --data " + path("c.h5") + " data.folds=3 --write-folds " + path("folds.json"));
    must(train("fold", "data.folds=3 data.fold=1"));
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_folds_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string train(const std::string& out, const std::string& more) {
    return "train --data " + path("c.h5") + " --out " + path(out) +
           " model.channels=2 train.batch=4 train.epochs=1 " + more;
  }
  static std::string must(const std::string& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
    return outcome.output;
  }
  static void expect_error(const std::string& command, const std::string& words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 1) << command << "\n" << outcome.output;
    EXPECT_NE(outcome.output.find(words), std::string::npos) << outcome.output;
    EXPECT_EQ(testing_tools::line_count(outcome.output), 1) << outcome.output;
  }
  static std::vector<std::int64_t> fold_of_box() {
    return nlohmann::json::parse(bytes(folder() / "folds.json"))["fold_of_box"];
  }
};

TEST_F(FoldsTest, TheFileHasALinePerBox) {
  const std::vector<std::int64_t> fold_of = fold_of_box();
  ASSERT_EQ(fold_of.size(), 27U);
  EXPECT_EQ(fold_of, folds_of_boxes(27, 27, 3, 1));
  const std::string text = bytes(folder() / "folds.json");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 27 + 9) << text;
  const std::string write = "train --data " + path("c.h5") + " --write-folds " + path("folds.json");
  expect_error(write + " data.folds=3", "folds.json");  // it exists
  EXPECT_NE(must(write + " data.folds=3 --overwrite").find("27 sub-boxes in 3 folds of 9 9 9"),
            std::string::npos);
  EXPECT_EQ(bytes(folder() / "folds.json"), text);
  expect_error(write + "2", "--write-folds needs data.folds");
}

TEST_F(FoldsTest, ThePeersReadTheSameFolds) {
  if (run("python3 -c pass").status != 0)
    GTEST_SKIP() << "no python3: the peers' reader of folds cannot be run";
  const std::string before = "python3 -c \"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, '" +
                             std::string(UMBRA_SOURCE_DIR) +
                             "/bench/peers'); from folds import read_folds; folds = read_folds('" +
                             path("folds.json") + "', ";
  const std::string list = must(before + "27); print(len(folds), *folds[1][1], len(folds[1][0]))\"");
  std::string expected = "3";
  const std::vector<std::int64_t> fold_of = fold_of_box();
  for (std::size_t box = 0; box < 27; ++box)
    if (fold_of[box] == 1) expected += " " + std::to_string(box);
  EXPECT_EQ(list, expected + " 18\n");
  EXPECT_NE(run(before + "26)\"").output.find("fold_of_box is of 27 boxes, but there are 26"),
            std::string::npos);
}

TEST_F(FoldsTest, EveryToolLeavesOutTheFoldOfTheRun) {
  const std::vector<std::int64_t> fold_of = fold_of_box();
  must("predict --run " + path("fold") + " --data " + path("c.h5") + " --out " + path("p.h5"));
  const std::vector<std::int64_t> validates = Hdf5File::open(path("p.h5")).read<std::int64_t>("validation");
  ASSERT_EQ(validates.size(), 27U);
  for (std::size_t box = 0; box < 27; ++box) EXPECT_EQ(validates[box] == 1, fold_of[box] == 1) << box;

  const std::string fit = "forest fit --trees 5 --data " + path("c.h5");
  must(fit + " --run " + path("fold") + " --out " + path("f.h5"));
  const ForestModel forest = read_forest(path("f.h5"));
  EXPECT_EQ(forest.split.rule.folds, 3);
  EXPECT_EQ(forest.split.rule.fold, 1);
  for (const std::int64_t box : forest.training_boxes) EXPECT_NE(fold_of[static_cast<std::size_t>(box)], 1);
  must(
      fit +
      " --features vpeak,vacc,mpeak,macc,mvir,spin,halfmass_scale,is_satellite data.folds=3 data.fold=1 --out " +
      path("g.h5"));
  EXPECT_TRUE(bytes(folder() / "f.h5") == bytes(folder() / "g.h5")) << "the fold of a run, or by its number";

  const std::string evaluate = "evaluate --data " + path("c.h5") + " --run " + path("fold");
  must(evaluate + " --forest " + path("f.h5") + " --out " + path("e.json"));
  EXPECT_EQ(nlohmann::json::parse(bytes(folder() / "e.json"))["validation_boxes"], 9);
  // A forest with another split saw some of them.
  must(fit + " --out " + path("other.h5"));
  expect_error(evaluate + " --forest " + path("other.h5") + " --out " + path("no.json"),
               "forest fit --run RUN");
  must(train("next", "data.folds=3 data.fold=2"));
  expect_error(evaluate + " --run " + path("next") + " --out " + path("no.json"),
               "runs can only be compared on the same validation boxes");
}

TEST_F(FoldsTest, ModelsAreComparedBoxByBox) {
  const std::string evaluate = "evaluate --data " + path("c.h5") + " --run " + path("fold");
  const std::string table = must(evaluate + " --reference " + path("fold") + " --out " + path("r.json"));
  const auto json = nlohmann::json::parse(bytes(folder() / "r.json"));
  const auto &first = json["models"].front(), &network = json["models"].back();
  EXPECT_EQ(json["reference"], network["name"]);
  EXPECT_FALSE(network.contains("minus_reference"));
  EXPECT_EQ(json["validation"].size(), 9U);
  EXPECT_EQ(first["chi2"]["of_box"].size(), 9U);
  EXPECT_NEAR(first["minus_reference"]["chi2"]["mean"].get<double>(),
              first["chi2"]["mean"].get<double>() - network["chi2"]["mean"].get<double>(), 1e-9);
  for (const char* name : {"ridge", "Poisson regression", "Gaussian process"})
    EXPECT_NE(table.find(std::string("\n") + name + " on the histogram of the input"), std::string::npos)
        << table;
  EXPECT_NE(table.find("is beaten by a baseline, the "), std::string::npos) << table;  // after one epoch
  expect_error(evaluate + " --reference nobody --out " + path("no.json"),
               "--reference nobody: there is no such");
}

TEST_F(FoldsTest, TheForestOfARunLeavesOutItsListedBoxes) {
  must(train("listed", "data.validation_boxes=4,7"));
  must("forest fit --trees 5 --data " + path("c.h5") + " --run " + path("listed") + " --out " + path("l.h5"));
  const std::vector<std::int64_t> boxes = read_forest(path("l.h5")).training_boxes;
  const std::set<std::int64_t> trained(boxes.begin(), boxes.end());
  EXPECT_EQ(trained.size(), 25U);
  EXPECT_FALSE(trained.contains(4) || trained.contains(7));
  expect_error("forest fit --trees 5 --data " + path("c.h5") + " --run " + path("listed") +
                   " --overwrite --out " + path("listed/best.h5"),
               "file of --run");
  must("forest predict --model " + path("l.h5") + " --data " + path("c.h5") + " --out " + path("lp.h5"));
  EXPECT_EQ(run("forest fit --trees 5 --data " + path("c.h5") + " --run " + path("listed") +
                " --train-fraction 0.5 --out " + path("no.h5"))
                .status,
            2);
}

TEST_F(FoldsTest, SettingsThatContradictOneAnotherAreRefused) {
  expect_error("forest search --data " + path("c.h5") + " --out " + path("no.json") + " --trees 10 20",
               "a list is one word with commas");
  expect_error(train("no", "data.folds=1"), "data.folds=1: a cross-validation has 2 folds or more");
  expect_error(train("no", "data.fold=1"), "data.fold=1 needs data.folds");
  expect_error(train("no", "data.folds=3 data.fold=3"), "data.fold=3 does not exist");
  expect_error(train("no", "data.folds=3 data.validation_boxes=1"), "give one of them");
  expect_error(train("no", "data.folds=28"), "data.folds=28: the 27 sub-boxes of this catalog");
  const std::string search = "forest search --data " + path("c.h5") + " --out " + path("no.json") + " ";
  expect_error(search + "--trees 5 data.fold=1", "data.fold=1 needs data.folds");
  expect_error(search + "--split halos data.folds=3",
               "data.folds=3: the folds are of sub-boxes, not of halos");
  expect_error(search + "data.voxels=3", "there is no setting data.voxels");
  expect_error(search + "data.folds=3 --folds 20",
               "--folds 20: data.inner_folds=20: fold 0 leaves only 18 sub-boxes to train on");
}

}  // namespace
}  // namespace umbra

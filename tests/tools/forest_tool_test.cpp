// forest end to end on a small mock universe: fit, predict, importance, export; and its messages about bad
// input.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data/catalogs/catalog.h"
#include "engine/io/hdf5.h"
#include "models/forest/predict.h"
#include "tests/fixtures/run_tool.h"
#include "tools/common/forest_file.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

// One universe of 27 sub-boxes, and one forest fitted on it, for the whole file.
class ForestToolTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::remove_all(folder());
    fs::create_directories(folder());
    const Outcome made = run("mock --out " + path("mock.h5") + " --box-size 75 --seed 3");
    ASSERT_EQ(made.status, 0) << made.output;
    const Outcome fitted = run(fit("forest.h5", "--trees 40 --max-depth 8"));
    ASSERT_EQ(fitted.status, 0) << fitted.output;
    fitted_ = fitted.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_forest_tool_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static std::string fit(const std::string& out, const std::string& more = "--trees 4") {
    return "forest fit --data " + path("mock.h5") + " --out " + path(out) + " " + more;
  }
  static void done(const std::string& command) {
    const Outcome outcome = run(command);
    ASSERT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
  }
  /// Runs a command that must fail with `status`, with one line where that is 1, and hold `words`.
  static void expect_error(const std::string& command, int status, const std::vector<std::string>& words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, status) << command << "\n" << outcome.output;
    for (const std::string& word : words)
      EXPECT_NE(outcome.output.find(word), std::string::npos) << command << "\n" << outcome.output;
    if (status == 1) {
      EXPECT_EQ(testing_tools::line_count(outcome.output), 1) << outcome.output;
    }
  }
  struct Score {
    double galaxies = 0, r2 = 0, rmse = 0;
  };
  static Score score(const std::string& output, const std::string& name) {
    const std::size_t at = output.find("\n" + name);
    Score out;
    if (at == std::string::npos) {
      ADD_FAILURE() << "no line '" << name << "' in\n" << output;
      return out;
    }
    std::istringstream(output.substr(at + 1 + name.size())) >> out.galaxies >> out.r2 >> out.rmse;
    return out;
  }
  static inline std::string fitted_;  // the output of fit
};

TEST_F(ForestToolTest, PredictsAsTheForestItReadAndScoresWhatItLeftOut) {
  done("forest predict --model " + path("forest.h5") + " --data " + path("mock.h5") + " --out " +
       path("p.h5"));
  const ForestModel model = read_forest(path("forest.h5"));
  const ForestHalos halos = halos_for(model, read_catalog(path("mock.h5")));
  const Hdf5File file = Hdf5File::open(path("p.h5"));
  const std::vector<double> predicted = file.read<double>("log_mass_predicted"),
                            truth = file.read<double>("log_mass_true");
  EXPECT_EQ(predicted, ForestPredictor(model.forest).predict(halos.table()));
  EXPECT_EQ(truth, halos.log_mass);
  EXPECT_EQ(file.read<std::int64_t>("row"), halos.row);
  EXPECT_EQ(file.read<std::int64_t>("box"), halos.box);
  EXPECT_EQ(file.attribute_text("log_mass_predicted", "unit"), "log10 M*/Msun");
  EXPECT_EQ(file.attribute_number("/", "h"), 0.678);
  const std::vector<std::int64_t> training = file.read<std::int64_t>("training");
  std::vector<std::int64_t> boxes;
  double squares = 0, mean = 0, variance = 0, left_out = 0;
  for (std::size_t i = 0; i < training.size(); ++i) {
    if (training[i] != 0) {
      boxes.push_back(halos.box[i]);
    } else {
      ++left_out;
      mean += truth[i];
    }
  }
  mean /= left_out;
  for (std::size_t i = 0; i < training.size(); ++i) {
    if (training[i] != 0) continue;
    squares += std::pow(predicted[i] - truth[i], 2);
    variance += std::pow(truth[i] - mean, 2);
  }
  std::sort(boxes.begin(), boxes.end());
  boxes.erase(std::unique(boxes.begin(), boxes.end()), boxes.end());
  EXPECT_EQ(boxes, model.training_boxes);
  EXPECT_EQ(boxes.size(), 22U);
  const Score said = score(fitted_, "left out");
  EXPECT_EQ(said.galaxies, left_out);
  EXPECT_NEAR(said.rmse, std::sqrt(squares / left_out), 1e-5);
  EXPECT_NEAR(said.r2, 1 - squares / variance, 1e-5);
}

// The mock puts 0.2 dex of scatter at given Vpeak: no unbiased score is better, and a correct forest is not
// much worse.
TEST_F(ForestToolTest, OutOfBagScoresAreAsGoodAsTheScatterAllows) {
  const Score bag = score(fitted_, "out of bag"), left_out = score(fitted_, "left out");
  EXPECT_GT(bag.galaxies, 3000);
  for (const Score& one : {bag, left_out}) {
    EXPECT_GT(one.rmse, 0.18) << fitted_;
    EXPECT_LT(one.rmse, 0.23) << fitted_;
    EXPECT_GT(one.r2, 0.6) << fitted_;
    EXPECT_LT(one.r2, 0.85) << fitted_;
  }
  EXPECT_EQ(fitted_.find("warning"), std::string::npos) << fitted_;
  const Outcome few = run(fit("few.h5", "--trees 1"));
  EXPECT_NE(few.output.find("warning"), std::string::npos) << few.output;
  const Outcome none = run(fit("none.h5", "--trees 2 --bootstrap none --train-fraction 1"));
  EXPECT_NE(none.output.find("no out-of-bag score"), std::string::npos) << none.output;
  EXPECT_NE(none.output.find("no galaxy was left out"), std::string::npos) << none.output;
}

TEST_F(ForestToolTest, OneThreadTwoThreadsAndASecondRunGiveTheSameBytes) {
  const std::string options = "--trees 7 --max-features 3 --search binned16 --max-depth 0";
  done("OMP_NUM_THREADS=1 " + fit("one.h5", options));
  done("OMP_NUM_THREADS=2 " + fit("two.h5", options));
  done("OMP_NUM_THREADS=2 " + fit("again.h5", options));
  EXPECT_EQ(bytes(path("one.h5")), bytes(path("two.h5")));
  EXPECT_EQ(bytes(path("two.h5")), bytes(path("again.h5")));
  done(fit("other.h5", options + " --seed 2"));
  EXPECT_NE(bytes(path("one.h5")), bytes(path("other.h5")));
}

TEST_F(ForestToolTest, EveryOptionReachesTheModel) {
  done(fit(
      "options.h5",
      "--trees 3 --max-depth 4 --min-samples-leaf 9 --max-features 2 --max-leaf-nodes 6 --extra-trees "
      "--search exact --bootstrap poisson --seed 18446744073709551615 --target linear --features "
      "vpeak,spin,upid --min-vpeak 170 --subbox-size 15 --train-fraction 0.6 --split halos --split-seed 4"));
  const ForestModel model = read_forest(path("options.h5"));
  const ForestOptions& o = model.forest.options;
  EXPECT_EQ(o.trees, 3);
  EXPECT_EQ(o.max_depth, 4);
  EXPECT_EQ(o.min_samples_leaf, 9);
  EXPECT_EQ(o.max_features, 2);
  EXPECT_EQ(o.max_leaf_nodes, 6);
  EXPECT_TRUE(o.extra_trees);
  EXPECT_EQ(o.search, ForestOptions::Search::kExact);
  EXPECT_EQ(o.bootstrap, ForestOptions::Bootstrap::kPoisson);
  EXPECT_EQ(o.seed, ~std::uint64_t{0});
  EXPECT_EQ(model.target, ForestTarget::kLinear);
  EXPECT_EQ(model.forest.features, (std::vector<std::string>{"vpeak", "spin", "upid"}));
  EXPECT_EQ(model.min_vpeak, 170);
  EXPECT_EQ(model.subbox_size, 15);
  EXPECT_EQ(model.boxes, 125);
  EXPECT_EQ(model.split.by, ForestSplit::By::kHalos);
  EXPECT_EQ(model.split.rule.train_fraction, 0.6);
  EXPECT_EQ(model.split.rule.seed, 4U);
  for (const ForestTree& tree : model.forest.trees) EXPECT_LE(tree.size(), 11U);  // 6 leaves
}

TEST_F(ForestToolTest, ALinearForestPredictsInTheSameUnits) {
  done(fit("linear.h5", "--trees 20 --target linear"));
  done("forest predict --model " + path("linear.h5") + " --data " + path("mock.h5") + " --out " +
       path("l.h5"));
  const ForestModel model = read_forest(path("linear.h5"));
  const std::vector<double> mean =
      ForestPredictor(model.forest).predict(halos_for(model, read_catalog(path("mock.h5"))).table());
  const std::vector<double> predicted = Hdf5File::open(path("l.h5")).read<double>("log_mass_predicted");
  ASSERT_EQ(predicted.size(), mean.size());
  for (std::size_t i = 0; i < mean.size(); ++i) ASSERT_EQ(predicted[i], std::log10(mean[i]));
}

TEST_F(ForestToolTest, OtherCatalogsArePredictedWithoutATrainingMark) {
  Catalog catalog = read_catalog(path("mock.h5"));
  catalog.columns.erase("stellar_mass");
  write_catalog(path("halos.h5"), catalog);
  const auto predict = [](const std::string& data, const std::string& out) {
    done("forest predict --model " + path("forest.h5") + " --data " + path(data) + " --out " + path(out));
    return Hdf5File::open(path(out));
  };
  const Hdf5File halos = predict("halos.h5", "h.h5");
  EXPECT_FALSE(halos.has("log_mass_true"));
  EXPECT_FALSE(halos.has("training"));
  EXPECT_EQ(halos.read<double>("log_mass_predicted"),
            predict("mock.h5", "m.h5").read<double>("log_mass_predicted"));
  done("mock --out " + path("other_mock.h5") + " --box-size 50 --seed 4");
  const Hdf5File other = predict("other_mock.h5", "o.h5");
  EXPECT_TRUE(other.has("log_mass_true"));
  EXPECT_FALSE(other.has("training"));
}

// As if the catalog did not contain these halos, but they are counted and predicted.
TEST_F(ForestToolTest, HalosWithoutAGalaxyAreLeftOutAndCounted) {
  Catalog catalog = read_catalog(path("mock.h5"));
  std::vector<double>& mass = catalog.columns["stellar_mass"];
  for (std::size_t i = 0; i < mass.size(); i += 5) mass[i] = 0;
  write_catalog(path("gaps.h5"), catalog);
  std::size_t empty = 0;
  const auto keep = [&](auto& column) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < column.size(); ++i)
      if (i % 5 != 0) column[to++] = column[i];
    empty = column.size() - to;
    column.resize(to);
  };
  for (auto& [name, column] : catalog.integers) keep(column);
  for (auto& [name, column] : catalog.columns) keep(column);
  write_catalog(path("no_gaps.h5"), catalog);

  const std::string sentence = concat(empty, " halos with vpeak >= 150 km/s have no galaxy");
  const auto says = [&](const std::string& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    return outcome.output.find(sentence) != std::string::npos;
  };
  const auto on = [&](const std::string& command, const std::string& name, const std::string& out) {
    return "forest " + command + " --data " + path(name) + " --out " + path(out) + " ";
  };
  EXPECT_TRUE(says(on("fit", "gaps.h5", "gf.h5") + "--trees 10"));
  EXPECT_FALSE(says(on("fit", "no_gaps.h5", "nf.h5") + "--trees 10"));
  const Hdf5File some = Hdf5File::open(path("gf.h5")), all = Hdf5File::open(path("nf.h5"));
  for (const char* array : {"trees/threshold", "trees/value"})
    EXPECT_EQ(some.read<double>(array), all.read<double>(array)) << array;
  const std::string grid = "--trees 5 --max-depth 4 --folds 3";
  EXPECT_TRUE(says(on("search", "gaps.h5", "gs.json") + grid));
  EXPECT_FALSE(says(on("search", "no_gaps.h5", "ns.json") + grid));
  const auto with = nlohmann::json::parse(bytes(path("gs.json"))),
             without = nlohmann::json::parse(bytes(path("ns.json")));
  EXPECT_EQ(with["halos_without_galaxy"], empty);
  EXPECT_EQ(without["halos_without_galaxy"], 0);
  EXPECT_EQ(with["scores"], without["scores"]);
  done(on("importance", "gaps.h5", "gi.json") + "--model " + path("gf.h5"));
  done(on("importance", "no_gaps.h5", "ni.json") + "--model " + path("nf.h5"));
  EXPECT_EQ(nlohmann::json::parse(bytes(path("gi.json")))["permutation"],
            nlohmann::json::parse(bytes(path("ni.json")))["permutation"]);
  const Outcome predicted = run(on("predict", "gaps.h5", "gp.h5") + "--model " + path("gf.h5"));
  EXPECT_NE(predicted.output.find(concat("; ", empty, " have no galaxy in the catalog")), std::string::npos)
      << predicted.output;
}

TEST_F(ForestToolTest, ImportancesNameWhatTheMockWasMadeFrom) {
  const std::string command = "forest importance --model " + path("forest.h5") + " --data " + path("mock.h5");
  done(command + " --out " + path("i.json"));
  const auto json = nlohmann::json::parse(bytes(path("i.json")));
  ASSERT_EQ(json["features"].size(), 8U);
  const auto mean = json["decrease_of_variance"]["mean"].get<std::vector<double>>();
  double sum = 0;
  for (const double one : mean) sum += one;
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_GT(mean[0], 0.5);  // vpeak, which determines the mock's masses
  EXPECT_EQ(json["decrease_of_variance_normalised"]["mean"][0], 1);
  const auto spin = static_cast<std::size_t>(5);  // the mock's masses do not depend on it
  EXPECT_EQ(json["features"][spin], "spin");
  EXPECT_GT(mean[spin], 0.005);
  EXPECT_LT(std::abs(json["unbiased_decrease"]["mean"][spin].get<double>()), 0.005);
  EXPECT_LT(std::abs(json["permutation"]["mean"][spin].get<double>()), 0.01);
  ASSERT_EQ(json["permutation_of_groups"].size(), 1U);
  const auto& group = json["permutation_of_groups"][0];
  EXPECT_EQ(group["columns"], (std::vector<std::string>{"vpeak", "vacc", "mpeak", "macc", "mvir"}));
  EXPECT_GT(group["mean"].get<double>(), 1);

  done(command + " --out " + path("g.json") +
       " --trees 5 --group shape=spin,halfmass_scale --group one=vpeak");
  const auto some = nlohmann::json::parse(bytes(path("g.json")));
  EXPECT_EQ(some["trees"], 5);
  EXPECT_EQ(some["permutation_of_groups"][1]["name"], "one");
  EXPECT_EQ(some["permutation"]["mean"].size(), 8U);
}

TEST_F(ForestToolTest, ImportancesNeedTheVeryGalaxies) {
  const std::string model = "forest importance --model " + path("forest.h5") + " --out " + path("no.json");
  Catalog catalog = read_catalog(path("mock.h5"));
  for (double& spin : catalog.columns["spin"]) spin *= 1.001;
  write_catalog(path("spun.h5"), catalog);
  expect_error(model + " --data " + path("spun.h5"), 1, {"spun.h5", "not the galaxies", "forest.h5"});
  catalog.columns.erase("stellar_mass");
  write_catalog(path("massless.h5"), catalog);
  expect_error(model + " --data " + path("massless.h5"), 1, {"massless.h5", "stellar_mass"});
  const std::string data = " --data " + path("mock.h5");
  expect_error(model + data + " --group vpeak", 1, {"--group vpeak", "name=column"});
  expect_error(model + data + " --group a=vpeak,colour", 1, {"no column colour"});
  expect_error(model + data + " --group a=vpeak,vpeak", 1, {"twice"});
  expect_error(model + data + " --group a=vpeak --group a=spin", 1, {"--group a", "twice"});
  expect_error(model + data + " --trees 41", 1, {"41", "40"});
  EXPECT_FALSE(fs::exists(path("no.json")));
}

TEST_F(ForestToolTest, ExportsTreesAsText) {
  const std::string command = "forest export --model " + path("forest.h5");
  done(command + " --trees 2 --out " + path("t.json"));
  const auto json = nlohmann::json::parse(bytes(path("t.json")));
  EXPECT_EQ(json["trees"].size(), 2U);
  EXPECT_EQ(json["trees"][0]["feature"], "vpeak");
  EXPECT_EQ(json["target"], "log10 M*/Msun");
  done(command + " --format lightgbm --out " + path("t.txt"));
  EXPECT_NE(bytes(path("t.txt")).find("\nTree=39\n"), std::string::npos);
  EXPECT_EQ(bytes(path("t.txt")).find("\nTree=40\n"), std::string::npos);
  done(fit("deep.h5", "--trees 30 --max-depth 0 --min-samples-leaf 1"));
  expect_error("forest export --model " + path("deep.h5") + " --out " + path("no.json"), 1,
               {"deep.h5", "at most 100000", "--trees"});
  expect_error(command + " --trees 41 --out " + path("no.json"), 1, {"41", "40"});
  EXPECT_FALSE(fs::exists(path("no.json")));
}

TEST_F(ForestToolTest, HelpNamesEveryOptionAndUsageErrorsAreTwo) {
  EXPECT_NE(run("forest --help").output.find("importance"), std::string::npos);
  for (const char* command : {"fit", "search", "predict", "importance", "export"}) {
    const Outcome help = run(std::string("forest ") + command + " --help");
    EXPECT_EQ(help.status, 0) << command;
    EXPECT_NE(help.output.find("--out"), std::string::npos) << help.output;
  }
  EXPECT_NE(run("forest fit --help").output.find("=500"), std::string::npos);
  expect_error("forest", 2, {"subcommand"});
  expect_error("forest plant", 2, {"subcommand"});
  expect_error("forest fit --out " + path("no.h5"), 2, {"--data"});
  expect_error(fit("no.h5", "--nonsense"), 2, {"--nonsense"});
  expect_error(fit("no.h5", "--trees 0"), 2, {"--trees"});
  expect_error(fit("no.h5", "--trees 1000000"), 2, {"--trees"});
  expect_error(fit("no.h5", "--max-depth -1"), 2, {"--max-depth"});
  expect_error(fit("no.h5", "--min-samples-leaf 0"), 2, {"--min-samples-leaf"});
  expect_error(fit("no.h5", "--max-leaf-nodes 1"), 2, {"--max-leaf-nodes"});
  expect_error(fit("no.h5", "--search best"), 2, {"binned16"});
  expect_error(fit("no.h5", "--bootstrap some"), 2, {"poisson"});
  expect_error(fit("no.h5", "--target log"), 2, {"log10"});
  expect_error(fit("no.h5", "--seed -1"), 2, {"-1"});
  expect_error("forest export --model " + path("forest.h5") + " --out " + path("no.h5") + " --format onnx", 2,
               {"lightgbm"});
}

TEST_F(ForestToolTest, BadInputIsOneSentence) {
  const std::string out = " --out " + path("bad"), data = " --data " + path("mock.h5");
  expect_error("forest fit --data " + path("missing.h5") + out, 1, {"missing.h5"});
  expect_error("forest predict --model " + path("missing.h5") + data + out, 1, {"missing.h5"});
  expect_error("forest predict --model " + path("mock.h5") + data + out, 1, {"mock.h5", "not a forest"});
  expect_error("forest predict --model " + path("forest.h5") + " --data " + path("forest.h5") + out, 1,
               {"forest.h5"});
  expect_error("forest fit" + data + out + " --features vpeak,colour", 1, {"colour"});
  expect_error("forest fit" + data + out + " --features stellar_mass", 1, {"mock.h5", "stellar_mass"});
  expect_error("forest fit" + data + out + " --features vpeak --max-features 2", 1,
               {"--max-features 2", "1 columns"});
  expect_error("forest fit" + data + out + " --min-vpeak 100000", 1, {"mock.h5", "100000"});
  expect_error("forest fit" + data + out + " --subbox-size 40", 1, {"mock.h5", "40", "divide"});
  expect_error("forest fit" + data + out + " --train-fraction 0", 1, {"train-fraction"});
  expect_error("forest fit" + data + out + " --train-fraction nan", 1, {"train-fraction"});
  expect_error("forest fit" + data + " --out /nonexistent/folder/m.h5", 1, {"/nonexistent/folder"});
  Catalog catalog = read_catalog(path("mock.h5"));
  catalog.columns.erase("vacc");
  write_catalog(path("no_vacc.h5"), catalog);
  expect_error("forest predict --model " + path("forest.h5") + " --data " + path("no_vacc.h5") + out, 1,
               {"no_vacc.h5", "vacc"});
  catalog.columns.erase("stellar_mass");
  write_catalog(path("no_mass.h5"), catalog);
  expect_error("forest fit --data " + path("no_mass.h5") + out, 1, {"no_mass.h5", "stellar_mass"});
  const std::pair<const char*, const char*> searches[] = {
      {"trees = 5", "not JSON"},
      {"{\"models\": []}", "the field best_cv is missing"},
      {"{\"best_oob\": 5}", "a value has the wrong type"}};
  for (const auto& [content, what] : searches) {
    std::ofstream(path("s.json")) << content;
    expect_error("forest fit" + data + out + " --best-of " + path("s.json"), 1,
                 {concat("s.json: ", what, "; the result of forest search is expected\n")});
  }
  EXPECT_FALSE(fs::exists(path("bad")));
}

}  // namespace
}  // namespace umbra

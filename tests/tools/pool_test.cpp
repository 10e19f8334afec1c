// evaluate --pool: folds of hand-made numbers as one result, and what is refused.
#include "tools/evaluate/pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "engine/base/error.h"
#include "tests/fixtures/run_tool.h"
#include "tools/evaluate/scorer.h"
#include "tools/evaluate/smf_table.h"

namespace umbra {
namespace {

using Json = nlohmann::ordered_json;
using Numbers = std::vector<double>;

Json scores(const Numbers& of_box) {
  Json stats = mean_and_error(of_box);
  stats["of_box"] = of_box;
  return stats;
}
Json row(const std::string& name, const Numbers& of_box) {
  return {{"name", name}, {"chi2", scores(of_box)}, {"chi2_eq1", scores(of_box)}};
}
Json baseline(const std::string& name, const Numbers& of_box, double seconds) {
  Json model = row(name, of_box);
  model["baseline"] = true;
  model["seconds"] = seconds;
  return model;
}
// A mean prediction with its members.
Json ensemble(const std::string& run, const Numbers& of_mean, const std::vector<Numbers>& of_members) {
  Json model = row("net, mean prediction (" + run + ")", of_mean);
  model["run"] = run;
  for (const Numbers& of_box : of_members) model["members"].push_back(row("net (" + run + ")", of_box));
  model["seeds"] = {{"name", "net, 2 seeds (" + run + ")"}, {"count", of_members.size()}};
  return model;
}
Json fold_of(const std::vector<int>& validation, double poisson, const Json& models) {
  return {{"format_version", 1},
          {"source", "by hand"},
          {"epoch", "last"},
          {"training_boxes", 4 - validation.size()},
          {"validation_boxes", validation.size()},
          {"validation", validation},
          {"poisson_chi2", poisson},
          {"models", models}};
}

// Four boxes in two folds; boxes 1, 3 and 0, 2.
std::vector<FoldResult> two_folds() {
  Json first = {baseline("mean SMF", {10, 30}, 0.5), row("alone (a/fold-0)", {1, 3}),
                ensemble("b/fold-0", {2, 4}, {{3, 5}, {5, 9}})};
  Json second = {baseline("mean SMF", {20, 60}, 0.25), row("alone (a/fold-1)", {4, 12}),
                 ensemble("b/fold-1", {1, 5}, {{2, 6}, {4, 6}})};
  first[1]["run"] = "a/fold-0";
  second[1]["run"] = "a/fold-1";
  return {{"e0.json", fold_of({1, 3}, 6, first)}, {"e1.json", fold_of({0, 2}, 8, second)}};
}

void expect_refused(const std::vector<FoldResult>& folds, const std::vector<std::string>& words) {
  try {
    pooled(folds);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    for (const std::string& word : words)
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << word << "\n" << error.what();
  }
}

TEST(Pool, JoinsTheBoxesOfAllFolds) {
  Json result = pooled(two_folds());
  EXPECT_EQ(result["validation"], Json({0, 1, 2, 3}));
  EXPECT_EQ(result["validation_boxes"], 4);
  EXPECT_EQ(result["poisson_chi2"], 7);
  ASSERT_EQ(result["models"].size(), 3U);
  const Json &mean = result["models"][0], &alone = result["models"][1];
  EXPECT_EQ(mean["chi2"]["of_box"], Json({20.0, 10.0, 60.0, 30.0}));
  EXPECT_EQ(mean["chi2"]["of_fold"], Json({20.0, 40.0}));
  EXPECT_EQ(mean["chi2"]["mean"], 30);
  EXPECT_EQ(mean["chi2"]["median"], 25);
  EXPECT_NEAR(mean["chi2"]["standard_error"].get<double>(), std::sqrt((100 + 400 + 900) / 3.0 / 4), 1e-12);
  EXPECT_EQ(mean["seconds"], 0.75);
  EXPECT_EQ(alone["name"], "alone (a/fold-*)");
  EXPECT_EQ(alone["run"], "a/fold-*");
  EXPECT_EQ(alone["chi2_eq1"]["of_box"], Json({4.0, 1.0, 12.0, 3.0}));
}

TEST(Pool, AveragesTheSeedsBoxByBox) {
  Json result = pooled(two_folds());
  add_differences(result, "alone (a/fold-*)");
  const Json &both = result["models"][2], &seeds = both["seeds"];
  EXPECT_EQ(both["chi2"]["of_box"], Json({1.0, 2.0, 5.0, 4.0}));
  EXPECT_EQ(seeds["name"], "net, 2 seeds (b/fold-*)");
  EXPECT_EQ(seeds["chi2"]["of_box"], Json({3.0, 4.0, 6.0, 7.0}));
  EXPECT_EQ(seeds["chi2"]["of_seed"], Json({4.0, 6.0}));
  EXPECT_EQ(seeds["chi2"]["of_fold"], Json({5.5, 4.5}));
  EXPECT_EQ(seeds["chi2"]["mean"], 5);
  EXPECT_NEAR(seeds["chi2"]["scatter"].get<double>(), std::sqrt(2), 1e-12);
  // -1, 3, -6, 4: the average of the seeds minus the single network
  EXPECT_EQ(seeds["minus_reference"]["chi2"]["mean"], 0);
  EXPECT_NEAR(seeds["minus_reference"]["chi2"]["standard_error"].get<double>(),
              std::sqrt((1 + 9 + 36 + 16) / 3.0 / 4), 1e-12);
  EXPECT_EQ(both["minus_reference"]["chi2"]["mean"], -2);
  // Of an ensemble as the reference, a single network is compared with the average of the seeds.
  add_differences(result, "b/fold-*");
  EXPECT_EQ(result["models"][1]["minus_reference"]["chi2"]["mean"], 0);
  EXPECT_EQ(result["models"][1]["minus_reference"]["chi2"]["median"], -1);
  const std::string table = smf_table(result);
  EXPECT_NE(table.find("net, 2 seeds (b/fold-*)"), std::string::npos) << table;
  EXPECT_NE(table.find("mean over 4 validation boxes"), std::string::npos) << table;
}

TEST(Pool, OraclesRemainOracles) {
  std::vector<FoldResult> folds = two_folds();
  for (int fold = 0; fold < 2; ++fold) {
    Json oracle = row("oracle", {1, 2});
    oracle["oracle"] = true;
    oracle["excess_chi2"] = 0.25 + fold;
    folds[static_cast<std::size_t>(fold)].content["models"].push_back(oracle);
  }
  const Json pool = pooled(folds);
  EXPECT_EQ(pool["models"][3]["oracle"], true);
  EXPECT_EQ(pool["models"][3]["excess_chi2"], 0.75);
}

TEST(Pool, EveryBoxMustBeInOneFold) {
  std::vector<FoldResult> folds = two_folds();
  folds[1].content["validation"] = {0, 3};
  expect_refused(folds, {"box 3 validates in e0.json and in e1.json"});
  expect_refused({folds[0], folds[0]}, {"e0.json: the file is given twice"});
  expect_refused({folds[0]}, {"2 of 4 boxes, the first of them box 0, validate in none of the 1 files"});
  folds[1].content["validation"] = {0, 4};
  expect_refused(folds, {"e1.json: validation names box 4, but there are only 4"});
}

TEST(Pool, RowsMustAgree) {
  std::vector<FoldResult> folds = two_folds();
  folds[1].content["models"][2]["members"].erase(1);
  expect_refused(folds, {"e1.json: 'net, mean prediction (b/fold-*)' has 1 seeds, but 2 in e0.json"});
  folds = two_folds();
  folds[1].content["models"][1]["name"] = "alone (c/fold-1)";
  expect_refused(folds, {"e1.json: there is no row 'alone (a/fold-*)', which e0.json has"});
  folds = two_folds();
  folds[1].content["models"].push_back(row("more", {1, 2}));
  expect_refused(folds, {"e1.json: 4 rows, but 3 in e0.json"});
  folds = two_folds();
  folds[0].content["models"][1]["name"] = "mean SMF";
  expect_refused(folds, {"e0.json: two rows are called 'mean SMF'"});
  folds = two_folds();
  folds[1].content["models"][0]["chi2"]["of_box"] = {1};
  expect_refused(folds, {"e1.json: of_box of 'mean SMF' must have 2 numbers"});
  folds = two_folds();
  folds[1].content["epoch"] = "best";
  expect_refused(folds, {"e1.json: epoch is \"best\", but \"last\" in e0.json"});
  folds = two_folds();
  folds[1].content["training_boxes"] = 3;
  expect_refused(folds, {"e1.json: a fold of 5 boxes, but e0.json is one of 4"});
}

TEST(Pool, FromTheCommandLine) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / ("umbra_pool_" + std::to_string(getpid()));
  fs::create_directories(folder);
  std::string files;
  for (const FoldResult& fold : two_folds()) {
    std::ofstream(folder / fold.file) << fold.content.dump();
    files += " " + (folder / fold.file).string();
  }
  const std::string out = (folder / "pooled.json").string(), pool = "evaluate --pool" + files;
  const testing_tools::Outcome done = testing_tools::run(pool + " --reference 'mean SMF' --out " + out);
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_NE(done.output.find("reference: mean SMF"), std::string::npos) << done.output;
  EXPECT_EQ(Json::parse(testing_tools::bytes(out))["validation_boxes"], 4);
  const auto expect_error = [](const std::string& command, int status, const std::string& words) {
    const testing_tools::Outcome outcome = testing_tools::run(command);
    EXPECT_EQ(outcome.status, status) << outcome.output;
    EXPECT_NE(outcome.output.find(words), std::string::npos) << outcome.output;
  };
  expect_error(pool + " --out " + out, 1, "it exists; --overwrite replaces it");
  for (const char* option : {"--run x", "--oracle", "--epoch last"})
    expect_error(pool + " " + option + " --out " + out, 2, "--pool");
  expect_error("evaluate --out " + out + "2", 2, "--data is required");
  expect_error("evaluate --data c.h5 --out " + out + "2", 2, "--run is required");
  std::ofstream(folder / "no.json") << "{\"models\": []}";
  expect_error("evaluate --pool " + (folder / "no.json").string() + " --out " + out + "2", 1,
               "no.json: the field format_version is missing");
  Json no_name = two_folds().front().content, no_boxes = no_name;
  no_name["models"][2]["seeds"].erase("name");
  no_boxes["models"][0]["chi2"]["of_box"] = "all";
  for (const auto& [content, what] :
       {std::pair{no_name, "the field name is missing"}, std::pair{no_boxes, "a value has the wrong type"}}) {
    std::ofstream(folder / "no.json") << content;
    try {
      read_fold_result((folder / "no.json").string());
      ADD_FAILURE() << what;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace umbra

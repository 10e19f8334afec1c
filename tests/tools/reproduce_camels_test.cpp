// The table of the CAMELS boxes: the data of its rows, its Markdown from results made by hand, the pages that contain it,
// and the whole command on a few tiny boxes.
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/fixtures/camels_set.h"
#include "tests/fixtures/run_tool.h"
#include "tools/common/forest_file.h"
#include "tools/common/run_config.h"
#include "tools/reproduce/camels.h"
#include "tools/reproduce/camels_table.h"
#include "tools/reproduce/choice.h"
#include "tools/reproduce/pages.h"
#include "tools/reproduce/runner.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

const fs::path kSource = UMBRA_SOURCE_DIR;

TEST(CamelsRows, AreSettingsThatTrainAccepts) {
  std::vector<std::string> names;
  for (const CamelsRow& row : camels_rows()) {
    names.emplace_back(row.name);
    std::vector<std::string> choices = words_between(row.choices, '|');
    if (choices.empty()) choices.emplace_back();
    for (const std::string& choice : choices) {
      RunConfig config;
      Config binding = config.bind();
      binding.read_file(kSource / "models/configs" / row.config);
      std::vector<std::string> words = words_between(row.settings, ' ');
      for (const std::string& word : words_between(choice, ' ')) words.push_back(word);
      EXPECT_NO_THROW(binding.set(words)) << row.name;
      EXPECT_NO_THROW(config.check()) << row.name;
    }
  }
  for (const CamelsRow& row : camels_rows()) {
    const std::string control = row.control;
    const bool is_baseline = control.find(" on the ") != std::string::npos;
    EXPECT_TRUE(control.empty() || is_baseline || std::count(names.begin(), names.end(), control) == 1)
        << row.name << ": " << control;
    EXPECT_EQ(std::count(names.begin(), names.end(), row.name), 1) << row.name;
  }
  EXPECT_EQ(chosen_camels_rows({"paper", "default"}).front().name, std::string("default"));
  std::string with_controls;
  for (const CamelsRow& row : chosen_camels_rows({"five_pooled"})) with_controls += concat(row.name, " ");
  EXPECT_EQ(with_controls, "vmax five_short five_pooled ");
  EXPECT_THROW(chosen_camels_rows({"papr"}), Error);
}

Json scores(double mean, double error, double median) {
  return {{"mean", mean}, {"standard_error", error}, {"median", median}};
}

CamelsTables tables_by_hand() {
  Json baseline = {{"row", "mean SMF"}, {"group", "baseline"}, {"title", "mean SMF"}, {"seconds", 0.01}};
  baseline["chi2"] = scores(182.64, 14.21, 80);
  Json network = {{"row", "default"}, {"group", "network"}, {"title", "ours"}, {"seconds", 12.34}};
  network["chi2"] = scores(90, 7.25, 30.04);
  network["chi2"]["scatter"] = 4.56;
  network["chi2"]["of_seed"] = {89, 91};
  network["minus_control"] = {{"control", "mean SMF"}, {"chi2", scores(-92.64, 3.21, -40)}};
  network["mean_prediction"] = {{"chi2", scores(85, 7, 29)}};
  Json change = {{"row", "wider"}, {"group", "change"}, {"title", "wider"}, {"seconds", 99}};
  change["chi2"] = scores(91, 8, 31);
  change["minus_control"] = {{"control", "default"}, {"chi2", scores(1, 0.5, 0.25)}};
  Json folds = Json::array();
  for (int fold = 0; fold < 2; ++fold) folds.push_back({{"epochs", std::vector<int>(60)}});
  Json peer = {{"protocol", "default"}, {"final_chi2", 95.0}, {"train_seconds", 200.0}, {"folds", folds}};
  Json other = peer;
  other["final_chi2"] = 99.0;
  return {{{"rows", {baseline, network, change}}}, {peer, other}};
}

TEST(CamelsTable, IsMarkdownOfTheResults) {
  const CamelsTables tables = tables_by_hand();
  EXPECT_EQ(camels_table(tables, "front"),
            "| model | χ² | median | seeds | s | PyTorch | seeds | s |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
            "| mean SMF | 182.6 ± 14.2 | 80.0 |  | 0.0 | | | |\n"
            "| ours | 90.0 ± 7.2 | 30.0 | 2 | 12 | 97.0 | 2 | 100 |\n"
            "\nPyTorch trained the same networks on the same folds.\n");
  CamelsTables mixed = tables;
  mixed.result["rows"].push_back(tables.result["rows"][1]);
  mixed.result["rows"].back()["row"] = "halos";
  mixed.result["rows"].back()["chi2"].erase("of_seed");
  const Json of_seed = {{"chi2", 55.0}, {"train_seconds_of_fold", {3.0, 5.0}}};
  mixed.pytorch.push_back({{"network", "halos"},
                           {"parameters", false},
                           {"columns", "vmax"},
                           {"seeds", {of_seed, of_seed, of_seed}}});
  const std::string both = camels_table(mixed, "front");
  EXPECT_NE(both.find("| ours | 90.0 ± 7.2 | 30.0 | 1 | 12 | 55.0† | 3 | 4.0 |\n"), std::string::npos)
      << both;
  EXPECT_NE(both.find("same folds, except in the rows marked †, where it is a\nnetwork of halos"),
            std::string::npos)
      << both;
  CamelsTables alone = tables;
  alone.pytorch.clear();
  EXPECT_EQ(camels_table(alone, "front"),
            "| model | χ² | median | seeds | s |\n| --- | --- | --- | --- | --- |\n"
            "| mean SMF | 182.6 ± 14.2 | 80.0 |  | 0.0 |\n"
            "| ours | 90.0 ± 7.2 | 30.0 | 2 | 12 |\n");
  EXPECT_EQ(camels_table(tables, "networks"),
            "| row | model | mean | scatter of seeds | median | minus control | control | s |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
            "| `default` | ours | 90.0 ± 7.2 | 4.6 | 30.0 | −92.6 ± 3.2 | mean SMF | 12 |\n"
            "| `default` | … mean of the predictions of the seeds | 85.0 ± 7.0 |  | 29.0 |  |  |  |\n");
  EXPECT_NE(camels_table(tables, "changes")
                .find("| `wider` | wider | 91.0 ± 8.0 |  | 31.0 | +1.0 ± 0.5 | "
                      "`default` | 99 |\n"),
            std::string::npos);
  EXPECT_EQ(camels_table(tables, "baselines"),
            "| model | mean | median | s |\n| --- | --- | --- | --- |\n"
            "| mean SMF | 182.6 ± 14.2 | 80.0 | 0.0 |\n")
      << "of results of before the baselines were compared";
  const std::string page = "before\n<!-- camels: baselines -->\nold\n<!-- /camels -->\nafter\n";
  const std::string now = with_camels_tables(tables, page);
  EXPECT_EQ(now, "before\n<!-- camels: baselines -->\n\n" + camels_table(tables, "baselines") +
                     "\n<!-- /camels -->\nafter\n");
  EXPECT_EQ(with_camels_tables(tables, now), now);
  EXPECT_THROW(with_camels_tables(tables, "<!-- camels: baselines -->\n"), Error);
  EXPECT_THROW(camels_table(tables, "frnt"), Error);
}

TEST(CamelsTable, HasForestsOfSeveralSeedsAmongTheBaselines) {
  CamelsTables compared = tables_by_hand();
  Json& baselines = compared.result["rows"];
  baselines[1] = {{"row", "forest, distribution per halo"},
                  {"group", "baseline"},
                  {"title", "forest, distribution per halo"},
                  {"seconds", 4},
                  {"chi2", scores(150, 12, 60)},
                  {"minus_control", {{"control", "mean SMF"}, {"chi2", scores(-32.6, 3, -9)}}}};
  baselines[1]["chi2"]["of_seed"] = {149, 150, 151};
  EXPECT_EQ(camels_table(compared, "baselines"),
            "| model | mean | median | minus the best | s |\n| --- | --- | --- | --- | --- |\n"
            "| mean SMF | 182.6 ± 14.2 | 80.0 |  | 0.0 |\n"
            "| forest, distribution per halo, 3 seeds | 150.0 ± 12.0 | 60.0 | −32.6 ± 3.0 | 4.0 |\n");
  EXPECT_NE(camels_table(compared, "front")
                .find("| forest, distribution per halo | 150.0 ± 12.0 | 60.0 | 3 | 4.0 |"),
            std::string::npos);
}

// What `reproduce --pages` would write is what is there; it needs neither the boxes nor PyTorch.
TEST(CamelsTable, ThePagesContainThatOfTheCommittedResults) {
  const CamelsTables tables = read_camels_tables(kSource / "bench/results/camels");
  const Json of_paper = Json::parse(bytes(kSource / "bench/results/paper/table.json"));
  int tables_found = 0;
  for (const char* page : {"README.md", "docs/baselines.md", "docs/benchmarks.md"}) {
    const std::string text = bytes(kSource / page);
    const auto paper = [&](const std::string&) { return paper_table(of_paper); };
    EXPECT_TRUE(with_tables(with_camels_tables(tables, text), "paper", paper) == text)
        << page << ": its tables differ from bench/results; build/tools/reproduce --pages " << page
        << " writes them";
    for (const char* begin : {"<!-- camels: ", "<!-- paper: "})
      for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos; ++at) ++tables_found;
  }
  EXPECT_GE(tables_found, 5);
}

TEST(PaperTable, HasTheNetworksTheForestsAndWhatCanBeReached) {
  const auto row = [](const char* name, const char* kind, double mean) {
    return Json{{"name", name}, {"kind", kind}, {"chi2", scores(mean, 2.5, 0.7 * mean)}};
  };
  Json table = {{"reference", "ridge"}};
  table["rows"] = {row("mean SMF", "baseline", 228),
                   row("ridge", "baseline", 41.9),
                   row("other", "baseline", 50),
                   row("forest, distribution per halo, of M*", "forest", 36.3),
                   row("forest, distribution per halo, of log10 M*", "forest", 36.4),
                   row("um_resnet C=20, the paper's recipe", "network", 2.1e9)};
  table["rows"].back()["chi2_of_paper"] = 135;
  table["rows"].back()["seeds"] = {{"count", 3}, {"chi2", {{"scatter", 9.6e7}}}};
  table["rows"].back()["chi2"]["standard_error"] = 7e7;
  EXPECT_EQ(paper_table(table),
            "| model | paper | χ² | scatter of seeds | median |\n| --- | --- | --- | --- | --- |\n"
            "| mean SMF |  | 228.0 ± 2.5 |  | 160 |\n"
            "| ridge |  | 41.9 ± 2.5 |  | 29.3 |\n"
            "| forest, distribution per halo, of M* |  | 36.3 ± 2.5 |  | 25.4 |\n"
            "| um_resnet C=20, the paper's recipe | 135 | (2.10 ± 0.07)·10⁹ | 9.6·10⁷ | 1.5·10⁹ |\n");
}

class ReproduceCamels : public CamelsTest {
 protected:
  // Boxes of 40 halos, whose numbers of galaxies differ.
  void make_boxes(int boxes) const {
    std::ofstream table(folder_ / "CosmoAstroSeed_Test.txt");
    table << "#Name Omega_m sigma_8 A_SN1 A_AGN1 A_SN2 A_AGN2 Omega_b seed\n";
    for (int box = 0; box < boxes; ++box) {
      const double strength = 0.5 + 0.1 * box;
      Cube cube;
      for (auto* values : {&cube.position, &cube.vmax, &cube.mass, &cube.stars}) values->clear();
      cube.group.clear();
      cube.first.clear();
      for (int i = 0; i < 40; ++i) {
        const int at = 37 * i + 11 * box;
        for (const int step : {613, 827, 1039})
          cube.position.push_back(static_cast<float>(at * step % 25000));
        cube.vmax.push_back(static_cast<float>(151 + 5 * i));
        cube.mass.push_back(static_cast<float>(10 + i));
        cube.stars.push_back(static_cast<float>(strength * std::pow(1.08, i)));
        cube.group.push_back(i);
        cube.first.push_back(i);
      }
      cube.claimed = 40;
      const std::string name = "SB7_" + std::to_string(box);
      make(name, cube);
      table << name << " 0.3 " << 0.6 + 0.02 * box << ' ' << strength << " 1 1 1 0.05 " << box << '\n';
    }
  }
  std::string command(const std::string& more) const {
    return "reproduce --camels " + folder_.string() + " --out " + out() + " --folds 2 --epochs 1 " + more;
  }
  std::string out() const { return (folder_ / "out").string(); }

  // In the folder of a release whose table had no forests, nothing is refused and nothing is trained.
  void expect_only_evaluations_after_older_ones() const {
    std::string records = bytes(folder_ / "out/parts.json");
    for (std::size_t at; (at = records.find(" --forest ")) != std::string::npos;)
      records.erase(at, records.find('"', at) - at);
    std::ofstream(folder_ / "out/parts.json") << records;
    const CamelsTableOptions options{folder_.string(), "", {"fc1"}, 2, 2, 1};
    const Places places{"", kSource, folder_ / "out"};
    const CamelsChoices choices = camels_choices(options, places);
    const std::string list = Runner(places, camels_parts(options, places, &choices), false).list();
    for (const char* words :
         {"fc1-fold-1: fc1, fold 1 of 2, finished", "seed-2: forest, fold 1 of 2, seed 2, finished",
          "evaluations-fc1-fold-1: chi^2 on fold 1, about"})
      EXPECT_NE(list.find(words), std::string::npos) << words << "\n" << list;
  }

  // One forest per seed and fold, asked in three ways, among the baselines.
  void expect_forest(const Json& rows) const {
    std::string best;
    std::vector<Json> forests;
    for (const Json& row : rows) {
      if (row["group"] == "baseline" && !row.contains("minus_control")) best = row["row"];
      if (row["row"].get<std::string>().starts_with("forest, ")) forests.push_back(row);
    }
    ASSERT_EQ(forests.size(), 3U);
    const auto pooled = Json::parse(bytes(folder_ / "out/evaluations-fc1/pooled.json"));
    EXPECT_EQ(best, pooled["best_baseline"]) << "the others are compared with it";
    std::vector<Json> seeds;
    for (const Json& model : pooled["models"])
      if (model["name"].get<std::string>().starts_with("forest, distribution per halo ("))
        seeds.push_back(model);
    ASSERT_EQ(seeds.size(), 2U);
    const Json& row = forests.back();
    EXPECT_EQ(row["title"], "forest, distribution per halo");
    EXPECT_EQ(row["chi2"]["of_seed"], Json({seeds[0]["chi2"]["mean"], seeds[1]["chi2"]["mean"]}));
    EXPECT_NEAR(row["chi2"]["mean"].get<double>(),
                (seeds[0]["chi2"]["mean"].get<double>() + seeds[1]["chi2"]["mean"].get<double>()) / 2, 1e-9);
    EXPECT_NEAR(row["minus_control"]["chi2"]["mean"].get<double>(),
                (seeds[0]["minus_reference"]["chi2"]["mean"].get<double>() +
                 seeds[1]["minus_reference"]["chi2"]["mean"].get<double>()) /
                    2,
                1e-9);
    EXPECT_EQ(row["minus_control"]["control"], best);
    EXPECT_EQ(row["chosen"].size(), 2U);
    EXPECT_GT(row["seconds"].get<double>(), 0);
    EXPECT_TRUE(
        row["command"].get<std::string>().starts_with("forest fit --data camels.h5 --out forests/fold-0/"))
        << row["command"];
    // Settings are chosen without the boxes that are scored, and the forest is fitted without them.
    const auto search = Json::parse(bytes(folder_ / "out/forests/fold-1/search.json"));
    EXPECT_EQ(search["outer_fold"], 1);
    EXPECT_EQ(search["training_boxes"], 8);
    const auto scored = Json::parse(bytes(folder_ / "out/evaluations-fc1/fold-1.json"));
    for (const std::int64_t box : read_forest(folder_ / "out/forests/fold-1/seed-2.h5").training_boxes)
      EXPECT_EQ(std::count(scored["validation"].begin(), scored["validation"].end(), box), 0) << box;
  }
};

TEST_F(ReproduceCamels, TinyBoxesFromTheFolderToTheTable) {
  make_boxes(16);
  const std::string some = command("--seeds 2 --rows fc1");
  const Outcome listed = run(some + " --dry-run");
  ASSERT_EQ(listed.status, 0) << listed.output;
  EXPECT_NE(listed.output.find("data.inner_folds=5"), std::string::npos) << listed.output;
  EXPECT_FALSE(fs::exists(folder_ / "out/camels.h5"));
  const Outcome done = run(some);
  ASSERT_EQ(done.status, 0) << done.output;
  EXPECT_TRUE(fs::exists(folder_ / "out/camels-fc1.md"));
  EXPECT_FALSE(fs::exists(folder_ / "out/camels.json")) << "a complete table would be lost";
  const auto json = Json::parse(bytes(folder_ / "out/camels-fc1.json"));
  EXPECT_EQ(json["boxes"], 16);
  const Json& row = json["rows"].back();
  EXPECT_EQ(row["row"], "fc1");
  EXPECT_EQ(row["chosen"].size(), 2U);
  EXPECT_EQ(row["chi2"]["of_fold"].size(), 2U);
  EXPECT_EQ(row["chi2"]["of_seed"].size(), 2U);
  EXPECT_EQ(row["minus_control"]["control"], "parameters");  // a row that is made with it
  EXPECT_GT(row["seconds"].get<double>(), 0);
  EXPECT_TRUE(row["command"].get<std::string>().starts_with("train --data camels.h5 --out runs/fc1/fold-0 "))
      << row["command"];
  EXPECT_NE(done.output.find("| `fc1` | … mean of the predictions of the seeds | "), std::string::npos)
      << done.output;
  // Nothing that a row is scored on had a part in its choice.
  const auto choice = Json::parse(bytes(folder_ / "out/choices/fc1/fold-0.json"));
  const auto scored = Json::parse(bytes(folder_ / "out/evaluations-fc1/fold-0.json"));
  EXPECT_EQ(choice["epoch"], "last");
  EXPECT_EQ(scored["epoch"], "last");
  for (const Json& box : scored["validation"])
    EXPECT_EQ(std::count(choice["validation"].begin(), choice["validation"].end(), box), 0) << box;
  expect_forest(json["rows"]);
  const Outcome again = run(some);
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_EQ(again.output.find("\n  "), std::string::npos) << "no command is run again\n" << again.output;
  expect_only_evaluations_after_older_ones();
}

TEST_F(ReproduceCamels, WhatIsMissingIsNamed) {
  fs::create_directories(folder_ / "SB7_0");
  const auto expect_error = [&](const std::string& words, int status, const std::string& message) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, status) << outcome.output;
    EXPECT_NE(outcome.output.find(message), std::string::npos) << outcome.output;
  };
  expect_error(command(""), 1, "0 files are called Cosmo*.txt");
  expect_error(command("--rows papr"), 1, "--rows papr: there is no such row, only default, paper");
  expect_error("reproduce --out x --folds 3", 2, "--camels");
  expect_error("reproduce", 2, "--out is required");
}

}  // namespace
}  // namespace umbra

// Mass functions from forests: exact where halos determine masses, unbiased where masses scatter, never of
// halos that the forest was fitted on; evaluate --forest and forest search end to end.
#include "tools/evaluate/forest_smf.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "tests/fixtures/run_tool.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using testing_tools::bytes;
using testing_tools::Outcome;
using testing_tools::run;

// 27 sub-boxes. log_mass(halo) gives the mass, `vpeak` the column for the forest.
template <class VpeakOf, class LogMassOf>
Catalog catalog_of(std::int64_t halos, const VpeakOf& vpeak, const LogMassOf& log_mass) {
  Catalog catalog;
  catalog.box_size = 75;
  const Rng rng(11, Purpose::kTest);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(halos); ++i) {
    for (std::uint64_t axis = 0; axis < 3; ++axis)
      catalog.columns[std::string(1, "xyz"[axis])].push_back(75 * rng.uniform(8 * i + axis));
    catalog.columns["vpeak"].push_back(vpeak(rng, 8 * i));
    catalog.columns["stellar_mass"].push_back(std::pow(10, log_mass(rng, 8 * i)));
  }
  return catalog;
}

// Five kinds of halos, each with its mass; one below all bins.
constexpr double kMasses[] = {9.5119, 10.2313, 10.4471, 10.6219, 11.0837};
Catalog catalog_without_scatter() {
  const auto kind = [](const Rng& rng, std::uint64_t i) { return rng.below(i + 3, 5); };
  return catalog_of(
      4000,
      [&](const Rng& rng, std::uint64_t i) {
        return 160 + 60 * static_cast<double>(kind(rng, i)) + 30 * rng.uniform(i + 4);
      },
      [&](const Rng& rng, std::uint64_t i) { return kMasses[kind(rng, i)]; });
}

ForestModel fit(const Catalog& catalog, ForestTarget target, std::int64_t leaf) {
  ForestModel model;
  model.target = target;
  const ForestHalos halos = forest_halos(catalog, {}, model.min_vpeak, model.subbox_size);
  const std::vector<std::uint8_t> training = training_rows(halos, model.split);
  ForestOptions options;
  options.trees = 40;
  options.min_samples_leaf = leaf;
  options.search = ForestOptions::Search::kExact;  // a bin could contain halos of two kinds
  const ForestTable table = halos.table();
  const std::vector<double> masses = halos.target(target);
  model.forest = fit_forest({table, masses, {}, training}, options);
  model.boxes = halos.boxes;
  std::set<std::int64_t> boxes;
  for (std::size_t i = 0; i < training.size(); ++i)
    if (training[i] != 0) boxes.insert(halos.box[i]);
  model.training_boxes.assign(boxes.begin(), boxes.end());
  model.fingerprint = forest_fingerprint(halos, training);
  return model;
}

std::vector<std::int64_t> validation_boxes() {
  return split_boxes(27, 0.8, 1).validation;
}

// The cell-mean procedure on the true masses, in galaxies.
std::vector<double> cell_means_of_truth(const Catalog& catalog, const BoxSet& boxes,
                                        const std::vector<std::int64_t>& wanted) {
  const auto bins = static_cast<std::size_t>(boxes.options.smf_bins);
  std::vector<double> counts;
  for (const std::int64_t index : wanted) {
    std::map<std::array<int, 3>, std::vector<double>> cells;
    for (std::size_t row = 0; row < static_cast<std::size_t>(catalog.rows()); ++row) {
      std::int64_t box = 0;
      std::array<int, 3> cell{};
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const double x = catalog.column(std::string(1, "xyz"[axis]))[row];
        box = 3 * box + static_cast<std::int64_t>(x / 25);
        cell[axis] = static_cast<int>(x / (25.0 / boxes.options.voxels));
      }
      if (box == boxes.box[static_cast<std::size_t>(index)])
        cells[cell].push_back(std::log10(catalog.column("stellar_mass")[row]));
    }
    std::vector<double> own(bins, 0);
    for (const auto& [cell, masses] : cells) {
      double mean = 0;
      for (const double m : masses) mean += m / static_cast<double>(masses.size());
      for (std::size_t b = 0; b < bins; ++b)
        own[b] += mean >= boxes.edges[b] && mean < boxes.edges[b + 1] ? 1 : 0;
    }
    counts.insert(counts.end(), own.begin(), own.end());
  }
  return counts;
}

TEST(ForestSmfTest, WithoutScatterHalosGiveTheTruth) {
  const Catalog catalog = catalog_without_scatter();
  const std::vector<std::int64_t> wanted = validation_boxes();
  for (const ForestTarget target : {ForestTarget::kLog10, ForestTarget::kLinear}) {
    const ForestModel model = fit(catalog, target, 4);
    for (const bool per_dex : {false, true}) {
      BoxOptions options;
      options.voxels = 5;  // several halos in each
      options.per_dex = per_dex;
      const BoxSet boxes = make_boxes(catalog, options);
      const ForestSmf smf = forest_smf(model, "model", catalog, boxes, wanted);
      const std::vector<double> cells = cell_means_of_truth(catalog, boxes, wanted);
      ASSERT_EQ(smf.per_halo.size(), wanted.size() * 14);
      double galaxies = 0, others = 0;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const auto truth =
            static_cast<double>(boxes.smf[static_cast<std::size_t>(wanted[i / 14]) * 14 + i % 14]);
        EXPECT_NEAR(smf.per_halo[i], truth, 1e-6 * truth) << i;
        EXPECT_NEAR(smf.distributional[i], truth, 1e-6 * truth) << i;
        const double unit = 25.0 * 25 * 25 * (per_dex ? 0.1 : 1);
        EXPECT_NEAR(smf.cell_mean[i] * unit, cells[i], 1e-9) << i;
        galaxies += truth * unit;
        others += i % 14 == 1 ? cells[i] : 0;  // no galaxy has this mass, but mean predictions do
      }
      EXPECT_GT(galaxies, 400);
      EXPECT_GT(others, 10);
    }
  }
}

// y = f(vpeak) + N(0, 0.2) with few large f.
TEST(ForestSmfTest, WithScatterOnlyTheDistributionIsUnbiased) {
  const auto mean = [](const Rng& rng, std::uint64_t i) {
    return 10.4 - 0.2 * std::log(1 - rng.uniform(i + 3));  // falls by e within 0.2 dex
  };
  const Catalog catalog = catalog_of(
      60000, [&](const Rng& rng, std::uint64_t i) { return 200 * (mean(rng, i) - 9); },
      [&](const Rng& rng, std::uint64_t i) { return mean(rng, i) + 0.2 * rng.normal(i + 5); });
  const BoxSet boxes = make_boxes(catalog, {});
  const std::vector<std::int64_t> wanted = validation_boxes();
  const ForestSmf smf = forest_smf(fit(catalog, ForestTarget::kLog10, 20), "model", catalog, boxes, wanted);
  const auto galaxies = [&](const std::vector<double>& phi, std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t i = 0; i < phi.size(); ++i) sum += i % 14 >= from && i % 14 < to ? phi[i] : 0;
    return sum * 25 * 25 * 25;
  };
  std::vector<double> truth;
  for (const std::int64_t box : wanted) {
    for (std::size_t b = 0; b < 14; ++b)
      truth.push_back(static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * 14 + b]));
  }
  for (const auto& [from, to] : {std::pair{0, 4}, {4, 8}, {8, 11}, {11, 14}}) {
    const auto a = static_cast<std::size_t>(from), b = static_cast<std::size_t>(to);
    const double n = galaxies(truth, a, b), error = std::sqrt(n);
    EXPECT_NEAR(galaxies(smf.distributional, a, b), n, 3.5 * error) << "bins " << from << " to " << to;
    // Halos of exp(-5 f) scattered by 0.2: exp((5 * 0.2)^2 / 2) = 1.65 times as many galaxies.
    if (from >= 8) {
      EXPECT_LT(galaxies(smf.per_halo, a, b), n - 4 * error) << "bins " << from << " to " << to;
    }
  }
}

// A halo without a galaxy is no galaxy of mass 0. It is no galaxy at all, so it lowers the mass function.
TEST(ForestSmfTest, HalosWithoutAGalaxyAddNothing) {
  Catalog catalog = catalog_without_scatter();
  const std::vector<std::int64_t> wanted = validation_boxes();
  const BoxSet boxes = make_boxes(catalog, {});
  const ForestSmf whole = forest_smf(fit(catalog, ForestTarget::kLog10, 4), "model", catalog, boxes, wanted);
  std::vector<double>& mass = catalog.columns["stellar_mass"];
  const auto vpeak = catalog.column("vpeak");
  const Rng rng(12, Purpose::kTest);
  for (std::size_t i = 0; i < mass.size(); ++i) {  // 4 in 10 of the last kind, 1 in 10 of the second
    const double share = vpeak[i] >= 400 ? 0.4 : vpeak[i] >= 220 && vpeak[i] < 280 ? 0.1 : 0;
    if (rng.uniform(i) < share) mass[i] = 0;
  }
  const ForestModel model = fit(catalog, ForestTarget::kLog10, 4);
  const ForestSmf smf = forest_smf(model, "model", catalog, boxes, wanted);
  const auto in_bin_of = [&](double log_mass, const std::vector<double>& phi) {
    double sum = 0;
    for (std::size_t i = 0; i < phi.size(); ++i)
      sum += log_mass >= boxes.edges[i % 14] && log_mass < boxes.edges[i % 14 + 1] ? phi[i] : 0;
    return sum;
  };
  for (const auto& [log_mass, share] : {std::pair{kMasses[4], 0.6}, {kMasses[3], 1.0}, {kMasses[1], 0.9}}) {
    const auto remains = [&](const std::vector<double>& now, const std::vector<double>& before) {
      return in_bin_of(log_mass, now) / in_bin_of(log_mass, before);
    };
    EXPECT_NEAR(remains(smf.distributional, whole.distributional), share, 0.05) << log_mass;
    EXPECT_NEAR(remains(smf.per_halo, whole.per_halo), share, 0.05) << log_mass;
  }
  EXPECT_EQ(smf.cell_mean, whole.cell_mean);  // the authors' procedure counts voxels with halos

  // Which of the halos to be predicted have a galaxy is unknown to the forest.
  for (std::size_t i = 0; i < mass.size(); i += 3) {
    const auto part = [&](const char* axis) {
      return static_cast<std::int64_t>(catalog.column(axis)[i] / 25);
    };
    const std::int64_t box = (part("x") * 3 + part("y")) * 3 + part("z");
    if (std::find(wanted.begin(), wanted.end(), box) != wanted.end()) mass[i] = 0;
  }
  const ForestSmf blind = forest_smf(model, "model", catalog, boxes, wanted);
  EXPECT_EQ(blind.distributional, smf.distributional);
  EXPECT_EQ(blind.per_halo, smf.per_halo);
}

TEST(ForestSmfTest, WhatTheForestHasSeenIsNotScored) {
  const Catalog catalog = catalog_without_scatter();
  const ForestModel model = fit(catalog, ForestTarget::kLog10, 4);
  const BoxSet boxes = make_boxes(catalog, {});
  const auto message = [&](const ForestModel& m, const Catalog& c, const BoxSet& b,
                           const std::vector<std::int64_t>& wanted) {
    try {
      forest_smf(m, "model.h5", c, b, wanted);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message(model, catalog, boxes, validation_boxes()), "no error");
  std::vector<std::int64_t> one_too_many = validation_boxes();
  one_too_many.push_back(model.training_boxes[7]);
  EXPECT_NE(
      message(model, catalog, boxes, one_too_many)
          .find(concat("model.h5: the forest was fitted on galaxies of sub-box ", model.training_boxes[7])),
      std::string::npos);
  Catalog other = catalog;
  other.columns["stellar_mass"][100] *= 1.01;  // of a training box, or of its neighbour in the list
  other.columns["stellar_mass"][101] *= 1.01;
  other.columns["stellar_mass"][102] *= 1.01;
  EXPECT_NE(message(model, other, boxes, validation_boxes()).find("was not fitted on this catalog"),
            std::string::npos);
  BoxOptions options;
  options.subbox_size = 37.5;
  EXPECT_NE(message(model, catalog, make_boxes(catalog, options), {0}).find("37.5"), std::string::npos);
  ForestModel larger = model;
  larger.boxes = 64;
  EXPECT_NE(message(larger, catalog, boxes, validation_boxes()).find("64 sub-boxes"), std::string::npos);
}

class ForestToolsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fs::create_directories(folder());
    const Outcome made = run("mock --out " + path("mock.h5") + " --box-size 75 --seed 3");
    ASSERT_EQ(made.status, 0) << made.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path folder() {
    return fs::path(testing::TempDir()) / ("umbra_forest_smf_" + std::to_string(getpid()));
  }
  static std::string path(const std::string& name) { return (folder() / name).string(); }
  static nlohmann::json json(const std::string& name) {
    return nlohmann::json::parse(bytes(folder() / name));
  }
};

TEST_F(ForestToolsTest, EvaluateScoresForestsBesideNetworks) {
  ASSERT_EQ(run("train --data " + path("mock.h5") + " --out " + path("run") +
                " model.channels=4 train.batch=4 train.epochs=1")
                .status,
            0);
  const std::string fit_forest =
      "forest fit --data " + path("mock.h5") + " --trees 100 --min-samples-leaf 20";
  ASSERT_EQ(run(fit_forest + " --out " + path("f.h5")).status, 0);
  const std::string evaluate = "evaluate --data " + path("mock.h5") + " --run " + path("run");
  const Outcome done = run(evaluate + " --forest " + path("f.h5") + " --out " + path("e.json"));
  ASSERT_EQ(done.status, 0) << done.output;
  std::map<std::string, double> chi2;
  const auto evaluation = json("e.json");
  for (const auto& model : evaluation["models"])
    chi2[model["name"].get<std::string>()] = model["chi2"]["mean"].get<double>();
  EXPECT_EQ(chi2.size(), 8U) << done.output;
  for (const char* name : {"forest, mean prediction per halo", "forest, mean prediction per voxel",
                           "forest, distribution per halo"}) {
    ASSERT_TRUE(chi2.contains(name)) << done.output;
    EXPECT_NE(done.output.find(name), std::string::npos) << done.output;
  }
  EXPECT_LT(chi2["forest, distribution per halo"], chi2["forest, mean prediction per halo"]) << done.output;
  EXPECT_LT(chi2["forest, distribution per halo"], chi2["mean SMF"]) << done.output;
  EXPECT_EQ(evaluation["models"].front().contains("oracle"), false);

  // With oracles, and everything compared with one row of the forest, box by box.
  const Outcome compared = run(evaluate + " --forest " + path("f.h5") + " --oracle --out " +
                               path("oracles.json") + " --reference 'forest, distribution per halo'");
  ASSERT_EQ(compared.status, 0) << compared.output;
  const auto with_oracles = json("oracles.json");
  EXPECT_EQ(with_oracles["reference"], "forest, distribution per halo");
  EXPECT_EQ(with_oracles["best_baseline"], evaluation["best_baseline"]);  // an oracle is no baseline
  EXPECT_EQ(with_oracles["models"].size(), 10U);
  for (const auto& model : with_oracles["models"]) {
    const std::string name = model["name"].get<std::string>();
    EXPECT_EQ(model["chi2"]["of_box"].size(), 5U) << name;
    EXPECT_TRUE(model["chi2"].contains("median")) << name;
    EXPECT_EQ(model.contains("minus_reference"), name != "forest, distribution per halo") << name;
    EXPECT_EQ(model.contains("excess_chi2"), name.starts_with("oracle, ")) << name;
    EXPECT_EQ(model.contains("seconds"), !name.starts_with("um_resnet")) << name;
  }
  EXPECT_NE(compared.output.find("oracle, vpeak of every halo: "), std::string::npos) << compared.output;

  // A forest that saw halos of the validation boxes is refused, and nothing is written.
  ASSERT_EQ(run(fit_forest + " --split halos --out " + path("seen.h5")).status, 0);
  const Outcome refused = run(evaluate + " --forest " + path("seen.h5") + " --out " + path("no.json"));
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("seen.h5: the forest was fitted on galaxies of sub-box"), std::string::npos)
      << refused.output;
  EXPECT_EQ(testing_tools::line_count(refused.output), 1) << refused.output;
  EXPECT_FALSE(fs::exists(folder() / "no.json"));
}

TEST_F(ForestToolsTest, SearchWritesAndPrintsTheGrid) {
  const std::string search =
      "forest search --data " + path("mock.h5") + " --trees 5,20 --max-depth 3,8 --min-samples-leaf 4 --out ";
  const Outcome both = run(search + path("s.json") + " --folds 4");
  ASSERT_EQ(both.status, 0) << both.output;
  const auto result = json("s.json");
  ASSERT_EQ(result["scores"].size(), 4U);
  double best_cv = -1, best_oob = -1;
  for (const auto& score : result["scores"]) {
    EXPECT_EQ(score["fold_r2"].size(), 4U);
    best_cv = std::max(best_cv, score["cv_r2"].get<double>());
    best_oob = std::max(best_oob, score["oob_r2"].get<double>());
  }
  EXPECT_GT(best_cv, 0.6);
  for (const auto& score : result["scores"]) {
    const auto is = [&](const auto& best) {
      return score["trees"] == best["trees"] && score["max_depth"] == best["max_depth"];
    };
    EXPECT_EQ(score["cv_r2"].get<double>() == best_cv, is(result["best_cv"]));
    EXPECT_EQ(score["oob_r2"].get<double>() == best_oob, is(result["best_oob"]));
  }
  EXPECT_NE(both.output.find("best of folds"), std::string::npos) << both.output;

  // Folds of halos differ from folds of sub-boxes; a score that was not requested is absent.
  ASSERT_EQ(run(search + path("h.json") + " --by halo --score cv").status, 0);
  EXPECT_NE(json("h.json")["scores"][0]["cv_r2"], result["scores"][0]["cv_r2"]);
  EXPECT_FALSE(json("h.json")["scores"][0].contains("oob_r2"));
  ASSERT_EQ(run(search + path("o.json") + " --score oob").status, 0);
  EXPECT_EQ(json("o.json")["scores"][0]["oob_r2"], result["scores"][0]["oob_r2"]);
  EXPECT_FALSE(json("o.json").contains("best_cv"));

  const Outcome wrong = run(search + path("no.json") + " --folds 23");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(
      wrong.output.find("--folds 23: data.inner_folds=23: the split leaves only 22 sub-boxes to train on"),
      std::string::npos)
      << wrong.output;
  EXPECT_FALSE(fs::exists(folder() / "no.json"));
  EXPECT_EQ(run(search + path("no.json") + " --folds 1").status, 2);
}

}  // namespace
}  // namespace umbra

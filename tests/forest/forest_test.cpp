// The forest against its own definitions: brute force, invariances, edges.
#include "models/forest/forest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/base/philox.h"
#include "models/forest/predict.h"
#include "tests/fixtures/forest_samples.h"

namespace umbra {
namespace {

using namespace testing_forest;

TEST(ForestTest, OutOfBagIsTheMeanOverTreesThatDidNotSeeTheRow) {
  Sample s = sample(700, 4, 0, 6);
  for (std::size_t i = 0; i < s.target.size(); i += 9) s.columns[2][i] = kNan;
  const ForestTable table = s.table();
  for (const Search search : {Search::kBinned8, Search::kBinned16, Search::kExact}) {
    for (const Bootstrap bootstrap : {Bootstrap::kMultinomial, Bootstrap::kPoisson}) {
      ForestOptions o = options_of(search, 7, 8, 2);
      o.bootstrap = bootstrap;
      OutOfBagRequest request{{3, 0}, {}};
      const Forest forest = fit(s, o, &request);
      std::vector<std::vector<std::uint8_t>> counts(7, std::vector<std::uint8_t>(700));
      for (std::size_t t = 0; t < 7; ++t) draw_rows(o, static_cast<std::int64_t>(t), {}, counts[t]);
      for (std::size_t d = 0; d < 2; ++d) {
        for (std::size_t i = 0; i < 700; ++i) {
          double sum = 0;
          int trees = 0;
          for (std::size_t t = 0; t < 7; ++t) {
            if (counts[t][i] != 0) continue;
            sum += value_at(forest.trees[t], table, static_cast<std::int64_t>(i), request.depths[d]);
            ++trees;
          }
          ASSERT_EQ(request.results[d].trees[i], trees);
          if (trees == 0) {
            ASSERT_TRUE(std::isnan(request.results[d].prediction[i]));
          } else {
            ASSERT_NEAR(request.results[d].prediction[i], sum / trees, 1e-12);
          }
        }
      }
    }
  }
}

TEST(ForestTest, PredictionsAreWhatThresholdsSay) {
  const Sample s = sample(2500, 8, 0, 7);
  Sample fresh = sample(1003, 8, 0, 8);
  fresh.columns[0][5] = kNan;
  fresh.columns[1][6] = kInfinity;
  fresh.columns[2][7] = -kInfinity;
  const ForestTable table = fresh.table();
  for (const int depth : {6, 0}) {
    const Forest forest = fit(s, options_of(Search::kBinned16, 9, depth, 1));
    for (const auto& [trees, cut] : {std::pair{0, 0}, {4, 0}, {9, 3}}) {
      const std::vector<double> predicted = ForestPredictor(forest, trees, cut).predict(table);
      for (std::int64_t i = 0; i < table.rows(); ++i) {
        double sum = 0;
        const std::int64_t used = trees == 0 ? 9 : trees;
        for (std::int64_t t = 0; t < used; ++t)
          sum += value_at(forest.trees[static_cast<std::size_t>(t)], table, i, cut);
        ASSERT_TRUE(same_bits(predicted[static_cast<std::size_t>(i)], sum / static_cast<double>(used))) << i;
      }
    }
  }
}

TEST(ForestTest, GainsAddUpToWhatTheTreeExplains) {
  const Sample s = sample(3000, 5, 0, 9);
  ForestOptions o = options_of(Search::kBinned8, 1, 8, 3);
  o.bootstrap = Bootstrap::kNone;
  const Forest forest = fit(s, o);
  const ForestTree& tree = forest.trees[0];
  double gains = 0, between = 0;
  for (const ForestNode& node : tree) {
    if (!node.leaf()) gains += node.gain;
    if (node.leaf()) between += node.weight * (node.value - tree[0].value) * (node.value - tree[0].value);
  }
  EXPECT_NEAR(gains, between, 1e-9 * between);
}

TEST(ForestTest, ARowTwiceIsARowOfWeightTwo) {
  Sample s = sample(1500, 4, 100, 10);
  std::vector<double> weights(s.target.size(), 1);
  Sample twice = s;
  for (std::size_t i = 0; i < s.target.size(); i += 3) {
    weights[i] = 2;
    for (std::size_t f = 0; f < 4; ++f) twice.columns[f].push_back(s.columns[f][i]);
    twice.target.push_back(s.target[i]);
  }
  std::vector<std::uint8_t> mask(twice.target.size(), 1);
  for (std::size_t i = 1; i < s.target.size(); i += 30) {  // a row of weight 0 is not part of the data
    weights[i] = 0;
    mask[i] = 0;
  }
  ForestOptions o = options_of(Search::kBinned8, 1, 5, 1);
  o.bootstrap = Bootstrap::kNone;
  const ForestTable one = s.table(), two = twice.table();
  const Forest weighted = fit_forest({one, s.target, weights, {}}, o);
  const Forest repeated = fit_forest({two, twice.target, {}, mask}, o);
  ASSERT_EQ(weighted.trees[0].size(), repeated.trees[0].size());
  for (std::size_t i = 0; i < weighted.trees[0].size(); ++i) {
    const ForestNode &a = weighted.trees[0][i], &b = repeated.trees[0][i];
    EXPECT_EQ(a.left, b.left);
    EXPECT_EQ(a.threshold, b.threshold);
    EXPECT_EQ(a.weight, b.weight);
    EXPECT_NEAR(a.value, b.value, 1e-6);  // weights leave 26 bits for the target
  }
}

TEST(ForestTest, OnlyTheOrderOfAColumnMatters) {
  Sample s = sample(2000, 3, 0, 11);
  const ForestOptions o = options_of(Search::kBinned8, 5, 7, 2);
  const std::vector<double> before = ForestPredictor(fit(s, o)).predict(s.table());
  for (double& x : s.columns[0]) x = std::exp(5 * x);
  for (double& x : s.columns[1]) x = 1000 * x - 3;
  EXPECT_EQ(before, ForestPredictor(fit(s, o)).predict(s.table()));
}

TEST(ForestTest, BootstrapDrawsEveryRowAlike) {
  for (const Bootstrap bootstrap : {Bootstrap::kMultinomial, Bootstrap::kPoisson}) {
    ForestOptions o;
    o.bootstrap = bootstrap;
    constexpr std::size_t kRows = 1000, kTrees = 2000;
    std::vector<double> drawn(kRows, 0);
    std::vector<std::uint8_t> counts(kRows);
    double never = 0;
    for (std::size_t t = 0; t < kTrees; ++t) {
      draw_rows(o, static_cast<std::int64_t>(t), {}, counts);
      const int total = std::accumulate(counts.begin(), counts.end(), 0);
      if (bootstrap == Bootstrap::kMultinomial) {
        ASSERT_EQ(total, static_cast<int>(kRows));
      }
      for (std::size_t i = 0; i < kRows; ++i) {
        drawn[i] += counts[i];
        never += counts[i] == 0 ? 1 : 0;
      }
    }
    double chi2 = 0;
    for (const double d : drawn) chi2 += (d - kTrees) * (d - kTrees) / kTrees;
    EXPECT_NEAR(chi2, kRows, 4.5 * std::sqrt(2.0 * kRows));
    EXPECT_NEAR(never / (kRows * kTrees), std::exp(-1.0), 1e-3);
  }
}

TEST(ForestTest, NoiseIsNotExplained) {
  Sample s = sample(4000, 5, 0, 12);
  const Rng rng(13, Purpose::kTest);
  for (std::size_t i = 0; i < s.target.size(); ++i) s.target[i] = rng.normal(i);
  OutOfBagRequest oob;
  fit(s, options_of(Search::kBinned8, 300, 4, 50), &oob);
  // The mean of 300 trees on noise varies little: R^2 is about minus its variance, far from its value if
  // out-of-bag rows leaked.
  EXPECT_NEAR(r_squared(s.target, oob.results[0].prediction), 0, 3 / std::sqrt(4000.0));
}

TEST(ForestTest, EdgesOfWhatCanBeLearnt) {
  for (const Search search : {Search::kBinned8, Search::kBinned16, Search::kExact}) {
    ForestOptions o = options_of(search, 3, 0, 1);
    Sample one;
    one.columns = {std::vector<double>{3.0}, std::vector<double>{kNan}};
    one.target = {7.5};
    Forest forest = fit(one, o);
    EXPECT_EQ(forest.trees[0].size(), 1U);
    EXPECT_EQ(ForestPredictor(forest).predict(one.table())[0], 7.5);
    Sample flat = sample(100, 2, 1, 14);  // constant columns
    EXPECT_EQ(fit(flat, o).trees[0].size(), 1U) << name_of(search);
    Sample still = sample(100, 2, 0, 15);  // a constant target
    still.target.assign(100, 0.1);
    EXPECT_EQ(fit(still, o).trees[0].size(), 1U) << name_of(search);
    Sample lost = sample(100, 2, 0, 16);
    lost.columns[0].assign(100, kNan);
    const Forest without = fit(lost, o);
    for (const ForestNode& node : without.trees[0]) EXPECT_TRUE(node.leaf() || node.feature == 1);
    Sample tiny = sample(50, 1, 0, 17);
    for (double& x : tiny.columns[0]) x = std::ldexp(x, -1060);  // denormal
    EXPECT_GT(fit(tiny, o).trees[0].size(), 10U);
    Sample large = sample(50, 1, 0, 18);
    for (std::size_t i = 0; i < 50; ++i)
      large.columns[0][i] = static_cast<double>((std::int64_t{1} << 52) + static_cast<std::int64_t>(i));
    EXPECT_GT(fit(large, o).trees[0].size(), 10U);
  }
}

void expect_refused(const ForestData& data, const ForestOptions& o, const std::string& words) {
  try {
    fit_forest(data, o);
    FAIL() << "accepted, expected: " << words;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(ForestTest, RefusesInWords) {
  const Sample s = sample(20, 2, 0, 19);
  const ForestTable table = s.table(), empty;
  const auto with = [](auto change) {
    ForestOptions o;
    change(o);
    return o;
  };
  const std::vector<double> zeros(20, 0), short_target(19, 1);
  std::vector<double> bad = s.target, negative(20, 1);
  bad[3] = kNan;
  negative[4] = -1;
  expect_refused({empty, {}, {}, {}}, {}, "no column");
  expect_refused({table, short_target, {}, {}}, {}, "20 rows, but 19 targets");
  expect_refused({table, bad, {}, {}}, {}, "the target of row 3 is nan");
  expect_refused({table, s.target, negative, {}}, {}, "the weight of row 4 is -1");
  expect_refused({table, s.target, zeros, {}}, {}, "nothing to learn from");
  expect_refused({table, s.target, {}, {}}, with([](auto& o) { o.trees = 0; }), "0 trees are requested");
  expect_refused({table, s.target, {}, {}}, with([](auto& o) { o.max_features = 3; }), "max_features is 3");
  expect_refused({table, s.target, {}, {}}, with([](auto& o) { o.min_samples_leaf = 0; }),
                 "min_samples_leaf is 0");
  expect_refused({table, s.target, {}, {}}, with([](auto& o) { o.max_leaf_nodes = 1; }),
                 "max_leaf_nodes is 1");
  expect_refused({table, s.target, {}, {}}, with([](auto& o) { o.max_depth = -1; }), "max_depth is -1");
}

TEST(ForestTest, DamagedTreesAreRefused) {
  const Sample s = sample(300, 2, 0, 20);
  const Forest good = fit(s, options_of(Search::kBinned8, 2, 5, 5));
  const auto refused = [&](auto change) {
    Forest bad = good;
    change(bad.trees[1]);
    EXPECT_THROW(ForestPredictor{bad}, Error);
  };
  refused([](ForestTree& t) { t.clear(); });
  refused([](ForestTree& t) { t[0].left = 0; });
  refused([](ForestTree& t) { t[0].left = static_cast<std::int32_t>(t.size()); });
  refused([](ForestTree& t) { t[t[0].left].left = t[0].left; });
  refused([](ForestTree& t) { t[0].feature = 2; });
  refused([](ForestTree& t) { t[0].threshold = kNan; });
  refused([](ForestTree& t) { t.back().value = kInfinity; });
  refused([](ForestTree& t) { t.emplace_back(); });
}

TEST(RSquared, OfAConstantTargetIsOneOrUndefined) {
  const auto score = [](std::vector<double> target, std::vector<double> prediction) {
    return r_squared(target, prediction);
  };
  const double nan = std::nan("");
  EXPECT_EQ(score({0.1, 0.1, 0.1}, {0.1, 0.1 + 1e-12, 0.1}), 1);
  EXPECT_TRUE(std::isnan(score({0.1, 0.1, 0.1}, {0.1, 0.2, 0.1})));
  EXPECT_EQ(score({2, 5, 2}, {2, nan, 2}), 1);  // constant for all rows with a prediction
  EXPECT_TRUE(std::isnan(score({1, 2}, {nan, nan})));
  EXPECT_EQ(score({1, 3}, {1, 3}), 1);
  EXPECT_EQ(score({1, 3}, {2, 2}), 0);
}

}  // namespace
}  // namespace umbra

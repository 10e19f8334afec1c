// Conditional distributions against brute force, their coverage, and the counts per bin computed from them.
#include "models/forest/distribution.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/base/philox.h"

namespace umbra {
namespace {

struct Sample {
  std::vector<double> x, z, target;

  ForestTable table() const {
    ForestTable t;
    t.add("x", std::span<const double>(x));
    t.add("z", std::span<const double>(z));
    return t;
  }
};

Sample small(std::size_t rows, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kTest);
  Sample s;
  for (std::size_t i = 0; i < rows; ++i) {
    s.x.push_back(rng.uniform(3 * i));
    s.z.push_back(i % 11 == 0 ? std::numeric_limits<double>::quiet_NaN() : rng.uniform(3 * i + 1));
    s.target.push_back(std::sin(5 * s.x[i]) + 0.3 * rng.normal(3 * i + 2));
  }
  return s;
}

ForestOptions options_of(std::int64_t trees, int depth, std::int64_t leaf) {
  ForestOptions o;
  o.trees = trees;
  o.max_depth = depth;
  o.min_samples_leaf = leaf;
  return o;
}

std::size_t leaf_of(const ForestTree& tree, const ForestTable& table, std::int64_t row) {
  std::size_t at = 0;
  while (!tree[at].leaf()) {
    const double x = table.value(tree[at].feature, row);
    const bool right = std::isnan(x) ? !tree[at].missing_left : x > tree[at].threshold;
    at = static_cast<std::size_t>(tree[at].left) + (right ? 1 : 0);
  }
  return at;
}

// The weight of each row of `data` in the forest's prediction for a row of `table`, by definition; the sum is
// 1. `own` is a row of `data` whose trees are not counted; -1: none.
std::vector<double> weights_in_answer(const Forest& forest, const ForestData& data, const ForestTable& table,
                                      std::int64_t row, std::int64_t own) {
  std::vector<double> out(data.target.size(), 0);
  const std::vector<std::uint8_t> used = used_rows(data);
  double trees = 0;
  for (std::size_t t = 0; t < forest.trees.size(); ++t) {
    std::vector<std::uint8_t> counts(used.size());
    draw_rows(forest.options, static_cast<std::int64_t>(t), used, counts);
    if (own >= 0 && counts[static_cast<std::size_t>(own)] != 0) continue;
    const std::size_t leaf = leaf_of(forest.trees[t], table, row);
    std::vector<double> in_leaf(out.size(), 0);
    double total = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (counts[i] == 0 || leaf_of(forest.trees[t], data.table, static_cast<std::int64_t>(i)) != leaf)
        continue;
      in_leaf[i] = counts[i] * (data.weights.empty() ? 1 : data.weights[i]);
      total += in_leaf[i];
    }
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += in_leaf[i] / total;
    ++trees;
  }
  for (double& w : out) w /= trees;  // NaN where no tree counts
  return out;
}

// Checks `got` [rows][bins] for the rows of a table.
void expect_brute_force(const Forest& forest, const ForestData& data, const ForestTable& table,
                        const std::vector<double>& edges, const std::vector<double>& got, bool out_of_bag) {
  const std::size_t bins = edges.size() - 1;
  ASSERT_EQ(got.size(), static_cast<std::size_t>(table.rows()) * bins);
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const std::vector<double> weights = weights_in_answer(forest, data, table, row, out_of_bag ? row : -1);
    for (std::size_t b = 0; b < bins; ++b) {
      double expected = 0;
      for (std::size_t i = 0; i < weights.size(); ++i)
        expected += data.target[i] >= edges[b] && data.target[i] < edges[b + 1] ? weights[i] : 0;
      const double p = got[static_cast<std::size_t>(row) * bins + b];
      if (std::isnan(weights[0])) {
        ASSERT_TRUE(std::isnan(p)) << row;
      } else {
        ASSERT_NEAR(p, expected, 2e-7) << "row " << row << " bin " << b;
      }
    }
  }
}

TEST(DistributionTest, IsTheMeanOfTheLeavesHistograms) {
  const Sample s = small(300, 1), fresh = small(50, 2);
  std::vector<double> weights(300, 1);
  std::vector<std::uint8_t> mask(300, 1);
  for (std::size_t i = 0; i < 300; ++i) {
    weights[i] = static_cast<double>(i % 4) / 2;  // some are 0
    mask[i] = i % 5 != 0 ? 1 : 0;
  }
  const std::vector<double> edges{-0.7, -0.2, 0.1, 0.8, 1.1};  // some targets lie outside
  const ForestTable table = s.table(), other = fresh.table();
  for (const bool weighted : {false, true}) {
    const ForestData data{table, s.target, weighted ? std::span<const double>(weights) : std::span<double>(),
                          weighted ? std::span<const std::uint8_t>(mask) : std::span<std::uint8_t>()};
    for (const auto bootstrap : {ForestOptions::Bootstrap::kMultinomial, ForestOptions::Bootstrap::kNone}) {
      ForestOptions o = options_of(4, 4, 3);
      o.bootstrap = bootstrap;
      const Forest forest = fit_forest(data, o);
      const LeafHistograms histograms(forest, data, edges);
      expect_brute_force(forest, data, other, edges, histograms.probabilities(other), false);
      expect_brute_force(forest, data, table, edges, histograms.out_of_bag_probabilities(data), true);
    }
  }
}

// By definition: each row without a target is one more in its leaf of every tree.
TEST(DistributionTest, RowsWithoutATargetAreInNoBin) {
  const Sample s = small(300, 21), empty = small(120, 22), fresh = small(50, 23);
  const ForestTable table = s.table(), without = empty.table(), other = fresh.table();
  const ForestData data{table, s.target, {}, {}};
  const std::vector<double> edges{-0.7, 0.1, 0.8}, at{0.1, 0.5, 0.9};
  for (const std::int64_t trees : {1, 5}) {
    const Forest forest = fit_forest(data, options_of(trees, 4, 5));
    const LeafHistograms some(forest, data, edges, &without), all(forest, data, edges);
    const std::vector<double> p = some.probabilities(other), of_all = all.probabilities(other),
                              present = some.target_probabilities(other);
    for (std::int64_t row = 0; row < other.rows(); ++row) {
      double expected = 0;
      for (const ForestTree& tree : forest.trees) {
        const std::size_t leaf = leaf_of(tree, other, row);
        double empties = 0;
        for (std::int64_t i = 0; i < without.rows(); ++i)
          empties += leaf_of(tree, without, i) == leaf ? 1 : 0;
        const double weight = tree[leaf].weight;  // as often as its rows were drawn
        expected += weight / (weight + empties) / static_cast<double>(trees);
      }
      const auto r = static_cast<std::size_t>(row);
      ASSERT_NEAR(present[r], expected, 2e-6);
      ASSERT_LE(p[2 * r] + p[2 * r + 1], present[r] + 2e-6);
      if (trees > 1) continue;
      for (const std::size_t b : {2 * r, 2 * r + 1}) ASSERT_NEAR(p[b], of_all[b] * expected, 2e-6);
    }
    for (const double one : all.target_probabilities(other)) EXPECT_NEAR(one, 1, 1e-6);
    if (trees > 1) continue;
    const std::vector<double> q = some.quantiles(other, at), expected = all.quantiles(other, at);
    for (std::size_t i = 0; i < q.size(); ++i) EXPECT_NEAR(q[i], expected[i], 1e-5);
  }
}

TEST(DistributionTest, QuantilesInvertTheDistribution) {
  const Sample s = small(400, 3);
  const ForestTable table = s.table();
  const ForestData data{table, s.target, {}, {}};
  const Forest forest = fit_forest(data, options_of(5, 5, 10));
  const std::vector<double> edges = equal_edges(data, 40), at{0, 0.16, 0.5, 0.84, 1};
  EXPECT_EQ(edges.front(), *std::min_element(s.target.begin(), s.target.end()));
  EXPECT_GT(edges.back(), *std::max_element(s.target.begin(), s.target.end()));
  const LeafHistograms histograms(forest, data, edges);
  const std::vector<double> p = histograms.probabilities(table), q = histograms.quantiles(table, at);
  for (std::size_t row = 0; row < 400; ++row) {
    // The distribution function, linear within bins, at the quantile.
    for (std::size_t k = 0; k < at.size(); ++k) {
      double below = 0;
      for (std::size_t b = 0; b < 40; ++b)
        below += p[row * 40 + b] *
                 std::clamp((q[row * at.size() + k] - edges[b]) / (edges[b + 1] - edges[b]), 0.0, 1.0);
      ASSERT_NEAR(below, at[k], 1e-6) << "row " << row << " quantile " << at[k];
    }
    ASSERT_TRUE(std::is_sorted(q.begin() + static_cast<std::ptrdiff_t>(row * at.size()),
                               q.begin() + static_cast<std::ptrdiff_t>((row + 1) * at.size())));
  }
  // If half of all targets are above the edges, so are upper quantiles.
  const LeafHistograms narrow(forest, data, {-0.2, -0.1});
  const std::vector<double> outside = narrow.quantiles(table, std::vector<double>{0.001, 0.999});
  double low = 0, high = 0;
  for (std::size_t row = 0; row < 400; ++row) {
    low += outside[2 * row] == -0.2 ? 1 : 0;
    high += outside[2 * row + 1] == -0.1 ? 1 : 0;
  }
  EXPECT_GT(low, 50);
  EXPECT_GT(high, 200);
}

TEST(DistributionTest, IsTheSameOnAnyNumberOfThreads) {
  const Sample s = small(5000, 4);
  const ForestTable table = s.table();
  const ForestData data{table, s.target, {}, {}};
  const Forest forest = fit_forest(data, options_of(40, 8, 4));  // no row is in every tree
  const std::vector<double> at{0.1, 0.9};
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const LeafHistograms one(forest, data, equal_edges(data, 30));
  const auto p = one.probabilities(table), q = one.out_of_bag_quantiles(data, at);
  for (const int threads : {2, 3, 7}) {
    omp_set_num_threads(threads);
    const LeafHistograms many(forest, data, equal_edges(data, 30));
    EXPECT_EQ(p, many.probabilities(table));
    EXPECT_EQ(q, many.out_of_bag_quantiles(data, at));
  }
  omp_set_num_threads(before);
}

// 20,000 rows, scatter from 0.1 to 0.5 along x, 150 trees of depth 10 with at least 20 rows per leaf.
TEST(DistributionTest, OutOfBagIntervalsCoverWhatTheySay) {
  const Rng rng(5, Purpose::kTest);
  Sample s;
  for (std::size_t i = 0; i < 20000; ++i) {
    s.x.push_back(rng.uniform(3 * i));
    s.z.push_back(rng.uniform(3 * i + 1));
    s.target.push_back(std::sin(4 * s.x[i]) + s.z[i] + (0.1 + 0.4 * s.x[i]) * rng.normal(3 * i + 2));
  }
  const ForestTable table = s.table();
  const ForestData data{table, s.target, {}, {}};
  const Forest forest = fit_forest(data, options_of(150, 10, 20));
  const LeafHistograms histograms(forest, data, equal_edges(data, 200));
  const std::vector<double> at{0.025, 0.16, 0.84, 0.975};
  const std::vector<double> q = histograms.out_of_bag_quantiles(data, at);
  double inner = 0, outer = 0;
  std::vector<double> width(2, 0), third(2, 0), rows(2, 0);  // at small and large x
  for (std::size_t i = 0; i < s.target.size(); ++i) {
    const double* own = q.data() + 4 * i;
    const double inside = s.target[i] >= own[1] && s.target[i] < own[2] ? 1 : 0;
    inner += inside / 20000;
    outer += (s.target[i] >= own[0] && s.target[i] < own[3] ? 1 : 0) / 20000.0;
    if (s.x[i] > 0.25 && s.x[i] < 0.75) continue;
    const std::size_t side = s.x[i] > 0.5 ? 1 : 0;
    width[side] += own[2] - own[1], third[side] += inside, ++rows[side];
  }
  EXPECT_NEAR(inner, 0.68, 0.01);
  EXPECT_NEAR(outer, 0.95, 0.01);
  // The intervals are wider where the scatter is larger: it is 0.15 and 0.45 on average there.
  EXPECT_NEAR(width[1] / rows[1] / (width[0] / rows[0]), 3, 0.5);
  for (const std::size_t side : {0U, 1U}) EXPECT_NEAR(third[side] / rows[side], 0.68, 0.03);
}

// y = f(x) + N(0, 0.2) with few large f, as for galaxies: many small ones scatter up, few large ones down.
TEST(DistributionTest, CountsInBinsKeepTheScatterThatMeansLose) {
  const Rng rng(6, Purpose::kTest);
  const auto make = [&](std::size_t rows, std::uint64_t from) {
    Sample s;
    for (std::size_t i = 0; i < rows; ++i) {
      s.x.push_back(-std::log(1 - rng.uniform(from + 3 * i)) * 0.25);  // falls by e within 0.25
      s.z.push_back(rng.uniform(from + 3 * i + 1));
      s.target.push_back(s.x[i] + 0.2 * rng.normal(from + 3 * i + 2));
    }
    return s;
  };
  const Sample s = make(40000, 0), fresh = make(40000, 1 << 20);
  const ForestTable table = s.table(), other = fresh.table();
  const ForestData data{table, s.target, {}, {}};
  const Forest forest = fit_forest(data, options_of(100, 8, 20));
  const std::vector<double> edges{0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75};
  const std::vector<double> p = LeafHistograms(forest, data, edges).probabilities(other);
  const std::vector<double> means = ForestPredictor(forest).predict(other);
  for (std::size_t b = 0; b + 1 < edges.size(); ++b) {
    const auto inside = [&](double y) { return y >= edges[b] && y < edges[b + 1] ? 1.0 : 0.0; };
    double truth = 0, distribution = 0, mean = 0;
    for (std::size_t i = 0; i < fresh.target.size(); ++i) {
      truth += inside(fresh.target[i]);
      distribution += p[i * (edges.size() - 1) + b];
      mean += inside(means[i]);
    }
    // Training and test counts scatter independently: sqrt(2 N).
    EXPECT_NEAR(distribution, truth, 3.5 * std::sqrt(2 * truth)) << "bin from " << edges[b];
    // N(f) ~ exp(-4 f) smeared by 0.2 is exp((4 * 0.2)^2 / 2) = 1.38 times as many: means give fewer.
    if (edges[b] >= 0.5 && edges[b] < 1.25) {
      EXPECT_LT(mean, truth - 4 * std::sqrt(2 * truth)) << "bin from " << edges[b];
      EXPECT_NEAR(truth / mean, 1.38, 0.2) << "bin from " << edges[b];
    }
  }
}

TEST(DistributionTest, RefusesOtherData) {
  const Sample s = small(300, 7);
  Sample other = s;
  std::swap(other.x[4], other.x[200]);
  const ForestTable table = s.table(), swapped = other.table();
  const Forest forest = fit_forest({table, s.target, {}, {}}, options_of(10, 6, 2));
  const auto message = [&](const ForestTable& t, std::vector<double> edges) {
    try {
      LeafHistograms(forest, {t, s.target, {}, {}}, std::move(edges));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(message(swapped, {0, 1}).find("not the data it was fitted on"), std::string::npos);
  EXPECT_NE(message(table, {0, 1, 1}).find("ascending"), std::string::npos);
  EXPECT_NE(message(table, {0}).find("ascending"), std::string::npos);
  EXPECT_EQ(message(table, {0, 1}), "no error");
  const std::vector<double> same(300, 2.0);
  EXPECT_EQ(equal_edges({table, same, {}, {}}, 64).size(), 2U);
}

}  // namespace
}  // namespace umbra

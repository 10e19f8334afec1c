// The same forest, bit for bit, from other searches, thread counts and machines, and from deeper trees that
// are truncated.
#include <omp.h>

#include <bit>
#include <cmath>

#include "models/forest/predict.h"
#include "tests/fixtures/forest_samples.h"

namespace umbra {
namespace {

using namespace testing_forest;

TEST(ForestTest, BinsOfOneValueAreTheExactSearch) {
  for (const int features : {3, 8, 11}) {
    const Sample s = sample(3000, features, 200, 1);
    for (const int depth : {4, 0}) {
      for (const std::int64_t leaf : {1, 4}) {
        ForestOptions o = options_of(Search::kExact, 6, depth, leaf);
        const Forest exact = fit(s, o);
        o.search = Search::kBinned8;
        EXPECT_TRUE(same(exact, fit(s, o))) << features << " columns, depth " << depth << ", leaf " << leaf;
        o.search = Search::kBinned16;
        EXPECT_TRUE(same(exact, fit(s, o))) << features << " columns, depth " << depth << ", leaf " << leaf;
      }
    }
  }
}

TEST(ForestTest, SoTheyAreWithMissingValuesAndFewColumnsPerNode) {
  Sample s = sample(4000, 5, 60, 2);
  const Rng rng(7, Purpose::kTest);
  for (std::size_t f = 0; f < 4; ++f) {
    for (std::size_t i = 0; i < s.target.size(); ++i) {
      if (rng.uniform(f * 10000 + i) < 0.1 * static_cast<double>(f)) s.columns[f][i] = kNan;
    }
  }
  for (std::size_t i = 0; i < s.target.size(); i += 50)
    s.columns[1][i] = i % 100 == 0 ? kInfinity : -kInfinity;
  for (const std::int64_t most : {0, 1, 3}) {
    for (const bool extra : {false, true}) {
      ForestOptions o = options_of(Search::kExact, 5, 9, 3);
      o.max_features = most;
      o.extra_trees = extra;
      const Forest exact = fit(s, o);
      o.search = Search::kBinned8;
      const Forest binned = fit(s, o);
      EXPECT_TRUE(same(exact, binned)) << most << " columns per node, extra " << extra;
      o.max_leaf_nodes = 20;
      const Forest best_first = fit(s, o);
      o.search = Search::kExact;
      EXPECT_TRUE(same(fit(s, o), best_first));
      for (const ForestTree& tree : best_first.trees) EXPECT_EQ(tree.size(), 39U);
    }
  }
}

TEST(ForestTest, SixteenBitsComeCloseToTheExactSearch) {
  const Sample s = sample(20000, 3, 0, 3);
  OutOfBagRequest exact, binned;
  fit(s, options_of(Search::kExact, 20, 0, 4), &exact);
  fit(s, options_of(Search::kBinned16, 20, 0, 4), &binned);
  EXPECT_NEAR(r_squared(s.target, exact.results[0].prediction),
              r_squared(s.target, binned.results[0].prediction), 5e-4);
}

TEST(ForestTest, IsTheSameOnAnyNumberOfThreads) {
  const Sample s = sample(5000, 8, 0, 4);
  const ForestOptions o = options_of(Search::kBinned8, 16, 10, 4);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  OutOfBagRequest one;
  const Forest expected = fit(s, o, &one);
  const std::vector<double> predicted = ForestPredictor(expected).predict(s.table());
  for (const int threads : {2, 3, 7}) {
    omp_set_num_threads(threads);
    OutOfBagRequest many;
    EXPECT_TRUE(same(expected, fit(s, o, &many))) << threads;
    EXPECT_EQ(one.results[0].trees, many.results[0].trees);
    for (std::size_t i = 0; i < s.target.size(); ++i)
      ASSERT_TRUE(same_bits(one.results[0].prediction[i], many.results[0].prediction[i]));
    EXPECT_EQ(predicted, ForestPredictor(expected).predict(s.table()));
  }
  omp_set_num_threads(before);
}

// FNV-1a over the contents of a model file.
std::uint64_t hash_of(const Forest& forest) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::uint64_t bits) {
    for (int byte = 0; byte < 8; ++byte, bits >>= 8) hash = (hash ^ (bits & 0xff)) * 0x100000001b3;
  };
  for (const ForestTree& tree : forest.trees) {
    for (const ForestNode& node : tree) {
      add(static_cast<std::uint64_t>(node.left));
      add(std::bit_cast<std::uint64_t>(node.value));
      if (node.leaf()) continue;
      add(node.feature);
      add(std::bit_cast<std::uint64_t>(node.threshold));
      add(std::bit_cast<std::uint64_t>(node.gain));
    }
  }
  return hash;
}

TEST(ForestTest, IsTheSameOnEveryMachine) {
  Sample s;
  const Rng rng(21, Purpose::kTest);
  s.columns.resize(4);
  for (std::uint64_t i = 0; i < 6000; ++i) {  // sums and products alone: sines differ between libraries
    for (std::uint64_t f = 0; f < 4; ++f) s.columns[f].push_back(rng.uniform(8 * i + f));
    s.target.push_back(s.columns[0][i] * s.columns[1][i] + 0.2 * rng.uniform(8 * i + 5));
  }
  std::vector<std::uint64_t> hashes;
  for (const Search search : {Search::kBinned8, Search::kBinned16, Search::kExact}) {
    ForestOptions o = options_of(search, 8, 12, 3);
    o.max_features = 3;
    hashes.push_back(hash_of(fit(s, o)));
  }
  const std::vector<std::uint64_t> expected = {6860502369096586644u, 377839615421606738u,
                                               17430748755107579398u};
  EXPECT_EQ(hashes, expected);
}

TEST(ForestTest, TreesAndDepthsNest) {
  const Sample s = sample(4000, 8, 0, 5);
  for (const Search search : {Search::kBinned8, Search::kBinned16, Search::kExact}) {
    ForestOptions o = options_of(search, 10, 9, 2);
    o.max_features = 3;
    Forest deep = fit(s, o);
    o.max_depth = 4;
    Forest shallow = fit(s, o);
    for (std::size_t t = 0; t < deep.trees.size(); ++t)
      EXPECT_TRUE(same(truncated(deep.trees[t], 4), shallow.trees[t])) << name_of(search) << " tree " << t;
    o.trees = 4;
    shallow.trees.resize(4);
    EXPECT_TRUE(same(shallow, fit(s, o))) << name_of(search);
  }
}

}  // namespace
}  // namespace umbra

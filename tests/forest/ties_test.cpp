// Columns that divide the rows of a node alike: a permutation of the columns, drawn per node, decides which one is
// split on.
#include <omp.h>

#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "models/forest/growers.h"
#include "models/forest/importance.h"
#include "tests/fixtures/forest_samples.h"

namespace umbra {
namespace {

using namespace testing_forest;

constexpr std::array kSearches = {Search::kBinned8, Search::kBinned16, Search::kExact};

// One column, `copies` times.
Sample copies_of_a_column(int copies, std::int64_t rows = 64) {
  Sample s = sample(rows, 1, 0, 30);
  s.columns.resize(static_cast<std::size_t>(copies), s.columns[0]);
  return s;
}

// Groups of copies and of unrelated columns.
Sample some_copies() {
  Sample s = sample(900, 5, 0, 31);
  s.columns[2] = s.columns[0];
  s.columns[4] = s.columns[1];
  return s;
}

void expect_uniform(const std::vector<double>& counts, const std::string& what) {
  double all = 0, chi2 = 0;
  for (const double count : counts) all += count;
  const double expected = all / static_cast<double>(counts.size());
  for (const double count : counts) chi2 += (count - expected) * (count - expected) / expected;
  const auto degrees = static_cast<double>(counts.size() - 1);
  EXPECT_NEAR(chi2, degrees, 4.5 * std::sqrt(2 * degrees)) << what;
}

TEST(ForestTies, CopiesOfAColumnWinEquallyOften) {
  for (const Search search : kSearches) {
    for (const int copies : {2, 8, 21}) {
      const Forest forest = fit(copies_of_a_column(copies), options_of(search, 2000, 1, 1));
      std::vector<double> wins(static_cast<std::size_t>(copies), 0);
      for (const ForestTree& tree : forest.trees) ++wins[tree[0].feature];
      expect_uniform(wins, concat(name_of(search), ", ", copies, " copies"));
    }
  }
}

TEST(ForestTies, EveryNodeDrawsForItself) {
  const Forest forest = fit(copies_of_a_column(3), options_of(Search::kBinned8, 3000, 2, 1));
  std::vector<double> triples(27, 0);  // columns of the root and of its children
  for (const ForestTree& tree : forest.trees) {
    ASSERT_EQ(tree.size(), 7U);
    ++triples[tree[0].feature * 9U + tree[1].feature * 3U + tree[2].feature];
  }
  expect_uniform(triples, "three nodes");
}

TEST(ForestTies, CopiesShareTheImportance) {
  const Importance share = decrease_of_variance(fit(some_copies(), options_of(Search::kExact, 100, 0, 1)));
  for (const auto& [one, other] : {std::pair<std::size_t, std::size_t>{0, 2}, {1, 4}}) {
    const double error = std::hypot(share.standard_error[one], share.standard_error[other]);
    EXPECT_NEAR(share.mean[one], share.mean[other], 4.5 * error);
  }
}

TEST(ForestTies, AreBrokenAlikeOnAnyNumberOfThreads) {
  const Sample s = some_copies();
  const int before = omp_get_max_threads();
  for (const Search search : kSearches) {
    omp_set_num_threads(1);
    const Forest expected = fit(s, options_of(search, 12, 0, 1));
    for (const int threads : {2, 3, 7}) {
      omp_set_num_threads(threads);
      EXPECT_TRUE(same(expected, fit(s, options_of(search, 12, 0, 1)))) << threads << " threads";
    }
  }
  omp_set_num_threads(before);
}

// The columns split on, by path.
std::map<std::uint64_t, int> splits_of(const ForestTree& tree) {
  std::map<std::uint64_t, int> out;
  std::vector<std::pair<std::size_t, std::uint64_t>> waiting{{0, 1}};
  while (!waiting.empty()) {
    const auto [at, path] = waiting.back();
    waiting.pop_back();
    if (tree[at].leaf()) continue;
    out[path] = tree[at].feature;
    const auto left = static_cast<std::size_t>(tree[at].left);
    waiting.insert(waiting.end(), {{left, 2 * path}, {left + 1, 2 * path + 1}});
  }
  return out;
}

TEST(ForestTies, DoNotDependOnTheOrderInWhichNodesGrow) {
  const Sample s = some_copies();
  for (const Search search : kSearches) {
    ForestOptions o = options_of(search, 5, 12, 1);
    const Forest depth_first = fit(s, o);
    o.max_leaf_nodes = 2000;
    const Forest best_first = fit(s, o);
    o.max_leaf_nodes = 0;
    o.max_depth = 6;
    const Forest shallow = fit(s, o);
    for (std::size_t t = 0; t < depth_first.trees.size(); ++t) {
      EXPECT_EQ(splits_of(depth_first.trees[t]), splits_of(best_first.trees[t])) << name_of(search);
      EXPECT_TRUE(same(truncated(depth_first.trees[t], 6), shallow.trees[t])) << name_of(search);
    }
  }
}

TEST(ForestTies, TreesOfAFamilyBreakThemAlike) {
  const Sample s = some_copies();
  const ForestTable table = s.table();
  const ForestData data{table, s.target, {}, {}};
  const std::vector<std::int64_t> least{1, 2, 4};
  for (const Search search : kSearches) {
    const auto growth = make_growth(data, search);
    const auto grower = growth->make_grower(options_of(search, 1, 0, 1));
    std::vector<std::uint8_t> counts(s.target.size());
    draw_rows(options_of(search, 1, 0, 1), 0, {}, counts);
    const std::vector<ForestTree> family = grower->grow_family(0, counts, least);
    for (std::size_t k = 0; k < least.size(); ++k)
      EXPECT_TRUE(same(family[k], fit(s, options_of(search, 1, 0, least[k])).trees[0])) << name_of(search);
  }
}

// With fewer columns per node than there are, the drawn columns are tried in the order in which they were drawn.
TEST(ForestTies, AreBrokenAmongDrawnColumns) {
  ForestOptions o = options_of(Search::kExact, 2000, 1, 1);
  o.max_features = 2;
  const Forest forest = fit(copies_of_a_column(5), o);
  std::vector<double> wins(5, 0);
  for (const ForestTree& tree : forest.trees) ++wins[tree[0].feature];
  expect_uniform(wins, "two of five");
}

}  // namespace
}  // namespace umbra

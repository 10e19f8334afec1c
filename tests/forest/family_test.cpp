// The shortcuts of a search, each against the simple method: families of leaf sizes, random words in blocks,
// records moved four at a time, rows copied together.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/base/philox.h"
#include "models/forest/draw_words.h"
#include "models/forest/family_sums.h"
#include "models/forest/growers.h"
#include "models/forest/move_records.h"
#include "models/forest/table_rows.h"

namespace umbra {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Four columns: many values with a steep tail and missing ones, normal, a few values, noise.
struct Sample {
  std::vector<std::vector<float>> columns{4};
  std::vector<double> target, weights;
  ForestTable table;

  explicit Sample(std::size_t rows) {
    const Rng rng(21, Purpose::kTest);
    for (std::size_t i = 0; i < rows; ++i) {
      const double x = std::pow(1 - rng.uniform(8 * i), -0.33), z = rng.normal(8 * i + 1);
      const auto few = static_cast<double>(rng.below(8 * i + 2, 3));
      columns[0].push_back(static_cast<float>(i % 17 == 0 ? kNan : x));
      columns[1].push_back(static_cast<float>(z));
      columns[2].push_back(static_cast<float>(few));
      columns[3].push_back(static_cast<float>(rng.uniform(8 * i + 3)));
      target.push_back(std::log(x) + 0.3 * z * few + 0.3 * rng.normal(8 * i + 4));
      weights.push_back(static_cast<double>(1 + rng.below(8 * i + 6, 3)));
    }
    for (std::size_t f = 0; f < columns.size(); ++f)
      table.add(concat("c", f), std::span<const float>(columns[f]));
  }
};

void expect_same(const ForestTree& a, const ForestTree& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].left, b[i].left) << i;
    ASSERT_EQ(a[i].value, b[i].value) << i;
    ASSERT_EQ(a[i].rows, b[i].rows) << i;
    ASSERT_EQ(a[i].weight, b[i].weight) << i;
    ASSERT_EQ(a[i].feature, b[i].feature) << i;
    ASSERT_EQ(a[i].threshold, b[i].threshold) << i;
    ASSERT_EQ(a[i].code, b[i].code) << i;
    ASSERT_EQ(a[i].gain, b[i].gain) << i;
    ASSERT_EQ(a[i].missing_left, b[i].missing_left) << i;
  }
}

std::size_t forks_of(const Family& family) {
  const FamilyForks forks(family);
  std::size_t forked = 0;
  for (const std::uint8_t f : forks.forked) forked += f;
  return forked;
}

// Grows families and each of their trees alone. Returns how many leaves of the first trees are below a fork.
std::size_t compare_with_alone(const ForestData& data, ForestOptions o) {
  const std::vector<std::int64_t> leaves{1, 2, 4, 40};
  const auto growth = make_growth(data, o.search);
  const auto grower = growth->make_grower(o);
  std::vector<std::uint8_t> counts(data.target.size());
  std::size_t forks = 0;
  for (std::int64_t tree = 0; tree < 3; ++tree) {
    draw_rows(o, tree, {}, counts);
    const Family family = grower->grow_family(tree, counts, leaves);
    EXPECT_EQ(family.size(), leaves.size());
    for (std::size_t k = 0; k < leaves.size(); ++k) {
      o.min_samples_leaf = leaves[k];
      expect_same(family[k], growth->make_grower(o)->grow(tree, counts));
    }
    forks += forks_of(family);
  }
  return forks;
}

TEST(FamilyTest, TreesAreThoseThatGrowAlone) {
  const Sample s(5000);  // nodes with histograms and nodes without
  const ForestData plain{s.table, s.target, {}, {}}, weighted{s.table, s.target, s.weights, {}};
  for (const auto search :
       {ForestOptions::Search::kBinned8, ForestOptions::Search::kBinned16, ForestOptions::Search::kExact}) {
    for (const bool extra : {false, true}) {
      for (const int depth : {0, 6}) {
        ForestOptions o;
        o.search = search;
        o.extra_trees = extra;
        o.max_depth = depth;
        o.max_features = depth == 0 ? 2 : 0;
        EXPECT_GT(compare_with_alone(extra ? weighted : plain, o), 0U);
      }
    }
  }
}

TEST(FamilyTest, SumsAreThoseOfEveryTree) {
  const Sample s(3000);
  const ForestData data{s.table, s.target, {}, {}};
  ForestOptions o;
  o.max_depth = 9;
  const std::vector<std::int64_t> leaves{1, 3, 30};
  const std::vector<int> depths{0, 3, 9};
  const std::vector<int> ascending{3, 9, 0};
  const auto growth = make_growth(data, o.search);
  const auto grower = growth->make_grower(o);
  std::vector<Family> families;
  std::vector<std::vector<std::uint64_t>> odd(2, std::vector<std::uint64_t>(47, 0xAAAAAAAAAAAAAAAAULL));
  for (std::int64_t tree = 0; tree < 2; ++tree) {
    std::vector<std::uint8_t> counts(data.target.size());
    draw_rows(o, tree, {}, counts);
    families.push_back(grower->grow_family(tree, counts, leaves));
  }
  FamilySums<double> all(s.table, ascending, leaves.size());
  FamilySums<std::int64_t> some(s.table, ascending, leaves.size());
  all.add(families, [](double value) { return value; });
  some.add(
      families, [](double value) { return std::llround(value * 1e6); }, odd);
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    for (std::size_t d = 0; d < depths.size(); ++d) {
      Forest forest;
      forest.features = s.table.names();
      for (const Family& family : families) forest.trees.push_back(truncated(family[k], ascending[d]));
      const std::vector<double> mean = ForestPredictor(forest).predict(s.table);
      forest.trees.pop_back();
      const std::vector<double> first = ForestPredictor(forest).predict(s.table);
      for (std::size_t row = 0; row < mean.size(); ++row) {
        ASSERT_EQ(all.sum(row, k, d) / 2, mean[row]) << row;
        const double expected = row % 2 == 0 ? 0 : 2e6 * mean[row];
        ASSERT_NEAR(static_cast<double>(some.sum(row, k, d)), expected, 1.01) << row;
        ASSERT_EQ(some.trees(row), row % 2 == 0 ? 0 : 2) << row;
      }
    }
  }
}

TEST(FamilyTest, WordsByTheBlockAreThoseOfOneIndex) {
  const Rng rng(0x123456789ABCDEFULL, Purpose::kForestRows, 77);
  WordBlocks words;
  for (const std::uint64_t first : {0ULL, 5ULL, 100000ULL * kWordBlocks}) {
    draw_words(rng, first, words);
    for (std::size_t b = 0; b < kWordBlocks; ++b) {
      const Philox4 expected = rng.words(first + b);
      for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(words[k][b], expected[k]) << first << " " << b;
    }
  }
}

TEST(FamilyTest, RecordsMovedTogetherAreThoseMovedOneByOne) {
  if (!move_records_supported()) GTEST_SKIP() << "this machine moves records one by one";
  using Words = std::array<std::uint64_t, 2>;
  const Rng rng(3, Purpose::kTest);
  for (const std::size_t count : {0U, 3U, 4U, 9U, 64U, 1001U}) {
    for (const int code : {-1, 0, 30, 254}) {  // -1: all go right, with an exception
      std::vector<Words> in(count), out(count + 1, Words{7, 7});
      const RightRecords right{5, static_cast<std::uint8_t>(std::max(code, 0)),
                               static_cast<std::uint8_t>(code == 30 ? 255 : 0)};
      std::vector<Words> left_ones, right_ones;
      for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t seen = rng.below(i, 256);
        if (code == -1) seen |= 1;
        in[i] = {(rng.words(i)[2] & ~(255ULL << 40)) | seen << 40, i};
        (seen > right.code && seen != right.exception ? right_ones : left_ones).push_back(in[i]);
      }
      const auto lefts = static_cast<std::int64_t>(left_ones.size());
      const MovedRecords moved =
          move_records(in.data(), out.data(), static_cast<std::int64_t>(count), lefts, right);
      EXPECT_EQ((moved.left + moved.right) % 4, 0);
      for (std::int64_t i = 0; i < moved.left; ++i)
        ASSERT_EQ(out[static_cast<std::size_t>(i)], left_ones[static_cast<std::size_t>(i)]);
      for (std::int64_t i = 0; i < moved.right; ++i)
        ASSERT_EQ(out[static_cast<std::size_t>(lefts + i)], right_ones[static_cast<std::size_t>(i)]);
      EXPECT_EQ(out[count], (Words{7, 7}));
      const std::int64_t rights = static_cast<std::int64_t>(count) - lefts;
      EXPECT_TRUE(lefts - moved.left < 4 || rights - moved.right < 4);
    }
  }
}

TEST(FamilyTest, RowsCopiedTogetherKeepTypesAndOrder) {
  const Sample s(50);
  std::vector<std::uint8_t> chosen(50, 0);
  chosen[3] = chosen[17] = chosen[49] = 1;
  const TableRows rows({s.table, s.target, s.weights, {}}, chosen);
  const ForestData data = rows.data();
  ASSERT_EQ(data.table.rows(), 3);
  EXPECT_EQ(data.table.names(), s.table.names());
  EXPECT_TRUE(std::holds_alternative<std::span<const float>>(data.table.column(0)));
  EXPECT_EQ(data.table.value(1, 2), s.columns[1][49]);
  EXPECT_TRUE(std::isnan(data.table.value(0, 1)));
  EXPECT_EQ(data.target[1], s.target[17]);
  EXPECT_EQ(data.weights[0], s.weights[3]);
  EXPECT_TRUE(data.mask.empty());
}

}  // namespace
}  // namespace umbra

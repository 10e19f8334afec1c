// A search in one nested family against forests fitted one by one; folds.
#include "models/forest/search.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "engine/base/philox.h"
#include "models/forest/predict.h"

namespace umbra {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Sample {
  std::vector<std::vector<double>> columns{3};
  std::vector<double> target, weights;
  std::vector<std::uint8_t> mask;
  std::vector<int> folds;  // of three

  explicit Sample(std::size_t rows) {
    const Rng rng(8, Purpose::kTest);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t f = 0; f < 3; ++f)
        columns[f].push_back((i + f) % 13 == 0 ? kNan : rng.uniform(8 * i + f));
      const double x = rng.uniform(8 * i), z = rng.uniform(8 * i + 1);
      target.push_back(std::sin(5 * x) + x * z + 0.2 * rng.normal(8 * i + 5));
      weights.push_back(static_cast<double>(rng.below(8 * i + 6, 4)));
      mask.push_back(i % 7 != 0 ? 1 : 0);
      folds.push_back(static_cast<int>(rng.below(8 * i + 7, 3)));
    }
  }
  ForestTable table() const {
    ForestTable t;
    for (std::size_t f = 0; f < 3; ++f) t.add(concat("c", f), std::span<const double>(columns[f]));
    return t;
  }
};

SearchRequest small_search(ForestOptions::Search search) {
  SearchRequest request;
  request.grid = {{2, 9, 5}, {0, 2, 4}, {0, 2}, {1, 3}};
  request.base.search = search;
  request.base.seed = 4;
  request.folds = 3;
  return request;
}

// The score of one point of the search from forests fitted only for it.
SearchScore alone(const ForestData& data, const SearchRequest& request, const SearchScore& point) {
  ForestOptions o = request.base;
  o.trees = point.trees;
  o.max_depth = point.max_depth;
  o.max_features = point.max_features;
  o.min_samples_leaf = point.min_samples_leaf;
  SearchScore out;
  std::vector<int> fold_of = make_folds(used_rows(data), request.folds, o.seed);
  for (std::size_t i = 0; i < request.fold_of.size(); ++i)
    if (fold_of[i] >= 0) fold_of[i] = request.fold_of[i];
  for (int fold = 0; fold < request.folds; ++fold) {
    std::vector<std::uint8_t> mask(fold_of.size());
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = fold_of[i] >= 0 && fold_of[i] != fold ? 1 : 0;
    const Forest forest = fit_forest({data.table, data.target, data.weights, mask}, o);
    std::vector<double> prediction = ForestPredictor(forest).predict(data.table);
    for (std::size_t i = 0; i < mask.size(); ++i) prediction[i] = fold_of[i] == fold ? prediction[i] : kNan;
    out.fold_r2.push_back(r_squared(data.target, prediction));
  }
  OutOfBagRequest oob;
  fit_forest(data, o, &oob);
  out.oob_r2 = r_squared(data.target, oob.results[0].prediction);
  return out;
}

TEST(SearchTest, ScoresAreThoseOfForestsFittedOneByOne) {
  const Sample s(400);
  const ForestTable table = s.table();
  const ForestData plain{table, s.target, {}, {}}, weighted{table, s.target, s.weights, s.mask};
  for (const ForestData* data : {&plain, &weighted}) {
    SearchRequest request =
        small_search(data == &plain ? ForestOptions::Search::kBinned8 : ForestOptions::Search::kExact);
    if (data == &weighted) request.fold_of = s.folds;
    const std::vector<SearchScore> scores = search_forest(*data, request);
    ASSERT_EQ(scores.size(), 36U);
    std::set<std::string> points;
    for (const SearchScore& score : scores) {
      points.insert(
          concat(score.trees, " ", score.max_depth, " ", score.max_features, " ", score.min_samples_leaf));
      const SearchScore expected = alone(*data, request, score);
      EXPECT_EQ(score.fold_r2, expected.fold_r2) << *points.rbegin();
      EXPECT_EQ(score.oob_r2, expected.oob_r2) << *points.rbegin();
      double mean = 0, squares = 0;
      for (const double r2 : score.fold_r2) mean += r2 / 3;
      for (const double r2 : score.fold_r2) squares += (r2 - mean) * (r2 - mean);
      EXPECT_NEAR(score.cv_r2, mean, 1e-14);
      EXPECT_NEAR(score.cv_r2_error, std::sqrt(squares / 2 / 3), 1e-14);
      EXPECT_GT(score.cv_r2, 0.2);
    }
    EXPECT_EQ(points.size(), 36U);
    for (const auto scorer : {SearchScorer::kCrossValidation, SearchScorer::kOutOfBag}) {
      const SearchScore& best = scores[best_of(scores, scorer)];
      for (const SearchScore& score : scores) {
        const bool oob = scorer == SearchScorer::kOutOfBag;
        EXPECT_LE(oob ? score.oob_r2 : score.cv_r2, oob ? best.oob_r2 : best.cv_r2);
      }
    }
  }
}

TEST(SearchTest, LeafSizesOfOneFamilyScoreAsIfAlone) {
  const Sample s(4000);  // nodes with histograms, and few rows below many forks
  const ForestTable table = s.table();
  const ForestData data{table, s.target, {}, {}};
  for (const auto kind : {ForestOptions::Search::kBinned8, ForestOptions::Search::kBinned16}) {
    SearchRequest request = small_search(kind);
    request.grid = {{3, 1}, {5, 0}, {0}, {4, 1, 25, 2}};
    for (const SearchScore& score : search_forest(data, request)) {
      const SearchScore expected = alone(data, request, score);
      EXPECT_EQ(score.fold_r2, expected.fold_r2) << score.min_samples_leaf;
      EXPECT_EQ(score.oob_r2, expected.oob_r2) << score.min_samples_leaf;
    }
  }
}

TEST(SearchTest, OneScorerIsNoMoreThanItNeeds) {
  const Sample s(300);
  const ForestTable table = s.table();
  SearchRequest request = small_search(ForestOptions::Search::kBinned8);
  std::int64_t fits = 0, all = 0;
  request.progress = [&](std::int64_t done, std::int64_t of) {
    EXPECT_EQ(done, fits++);
    all = of;
  };
  request.folds = 0;
  const auto oob = search_forest({table, s.target, {}, {}}, request);
  EXPECT_EQ(fits, 2);
  EXPECT_EQ(all, 2);
  EXPECT_TRUE(oob[0].fold_r2.empty() && std::isnan(oob[0].cv_r2) && !std::isnan(oob[0].oob_r2));
  request.folds = 4;
  request.out_of_bag = false;
  fits = 0;
  const auto cv = search_forest({table, s.target, {}, {}}, request);
  EXPECT_EQ(fits, 8);
  EXPECT_TRUE(std::isnan(cv[0].oob_r2) && !std::isnan(cv[0].cv_r2_error));
}

TEST(SearchTest, IsTheSameOnAnyNumberOfThreads) {
  const Sample s(6000);  // three blocks of rows per fold and more
  const ForestTable table = s.table();
  const ForestData data{table, s.target, {}, {}};
  SearchRequest request = small_search(ForestOptions::Search::kBinned8);
  request.folds = 2;
  request.grid.max_features = {2};
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = search_forest(data, request);
  for (const int threads : {2, 3, 7}) {
    omp_set_num_threads(threads);
    const auto many = search_forest(data, request);
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(one[i].fold_r2, many[i].fold_r2);
      EXPECT_EQ(one[i].oob_r2, many[i].oob_r2);
    }
  }
  omp_set_num_threads(before);
}

TEST(SearchTest, FoldsPartitionTheRows) {
  const Sample s(1003);
  const std::vector<int> by_row = make_folds(s.mask, 5, 1), again = make_folds(s.mask, 5, 1);
  EXPECT_EQ(by_row, again);
  EXPECT_NE(by_row, make_folds(s.mask, 5, 2));
  std::vector<std::int64_t> rows(5, 0);
  for (std::size_t i = 0; i < by_row.size(); ++i) {
    ASSERT_EQ(by_row[i] == -1, s.mask[i] == 0) << i;
    if (by_row[i] >= 0) ++rows.at(static_cast<std::size_t>(by_row[i]));
  }
  EXPECT_LE(*std::max_element(rows.begin(), rows.end()) - *std::min_element(rows.begin(), rows.end()), 1);

  const std::vector<int> given = used_folds(s.mask, s.folds, 3);
  for (std::size_t i = 0; i < given.size(); ++i) ASSERT_EQ(given[i], s.mask[i] == 0 ? -1 : s.folds[i]) << i;
}

TEST(SearchTest, OutOfBagOfFewerTreesIsThatOfASmallerForest) {
  const Sample s(500);
  const ForestTable table = s.table();
  const ForestData data{table, s.target, s.weights, s.mask};
  ForestOptions o;
  o.max_depth = 6;
  o.trees = 11;
  OutOfBagRequest many{{3, 0}, {1, 4, 9}};
  const Forest forest = fit_forest(data, o, &many);
  EXPECT_EQ(forest.trees.size(), 11U);
  EXPECT_FALSE(forest.trees.back().empty());
  ASSERT_EQ(many.results.size(), 6U);
  for (std::size_t k = 0; k < 3; ++k) {
    o.trees = many.trees[k];
    OutOfBagRequest few{{3, 0}};
    fit_forest(data, o, &few);
    for (std::size_t d = 0; d < 2; ++d) {
      EXPECT_EQ(many.results[2 * k + d].trees, few.results[d].trees);
      for (std::size_t i = 0; i < s.target.size(); ++i) {
        const double a = many.results[2 * k + d].prediction[i], b = few.results[d].prediction[i];
        ASSERT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << i;
      }
    }
  }
}

TEST(SearchTest, RefusesInWords) {
  const Sample s(50);
  const ForestTable table = s.table();
  const auto message = [&](const auto& change) {
    SearchRequest request = small_search(ForestOptions::Search::kBinned8);
    change(request);
    try {
      search_forest({table, s.target, {}, {}}, request);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  const auto alternate = [](int folds) {
    std::vector<int> fold_of;
    for (int i = 0; i < 50; ++i) fold_of.push_back(i % folds);
    return fold_of;
  };
  const std::vector<int> two = alternate(2), four = alternate(4);
  EXPECT_NE(message([](auto& r) { r.grid.trees = {}; }).find("no value of trees"), std::string::npos);
  EXPECT_NE(message([](auto& r) { r.grid.trees = {0, 4}; }).find("0 trees"), std::string::npos);
  EXPECT_NE(message([](auto& r) { r.grid.max_depth = {3, 3}; }).find("max_depth 3 twice"), std::string::npos);
  EXPECT_NE(message([](auto& r) { r.folds = 1; }).find("at least 2 folds"), std::string::npos);
  EXPECT_NE(message([](auto& r) { r.folds = 51; }).find("50 rows cannot fill 51 folds"), std::string::npos);
  EXPECT_NE(message([&](auto& r) { r.fold_of = two; }).find("fold 2 of 3 has no rows"), std::string::npos);
  EXPECT_NE(message([&](auto& r) { r.fold_of = four; }).find("row 3 is in fold 3, but there are 3"),
            std::string::npos);
  EXPECT_NE(message([](auto& r) { r.base.max_leaf_nodes = 9; }).find("do not nest"), std::string::npos);
  EXPECT_NE(message([](auto& r) { r.base.bootstrap = ForestOptions::Bootstrap::kNone; }).find("out-of-bag"),
            std::string::npos);
  EXPECT_NE(message([](auto& r) { r.folds = 0, r.out_of_bag = false; }).find("neither"), std::string::npos);
  EXPECT_NE(message([](auto& r) { r.grid.max_features = {4}; }).find("max_features"), std::string::npos);
}

}  // namespace
}  // namespace umbra

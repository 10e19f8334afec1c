#include "models/forest/search.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "engine/cpu/parallel.h"
#include "models/forest/family_sums.h"
#include "models/forest/growers.h"
#include "models/forest/table_rows.h"

namespace umbra {
namespace {

bool deeper(int a, int b) {
  return a != 0 && (b == 0 || a < b);
}

// The sorted values. Throws Error when there are none or one is repeated.
template <class T, class Less>
std::vector<T> axis(std::vector<T> values, const char* name, Less less) {
  require(!values.empty(), "forest: the grid has no value of ", name);
  std::sort(values.begin(), values.end(), less);
  const auto twice = std::adjacent_find(values.begin(), values.end());
  if (twice != values.end()) fail("forest: the grid has ", name, " ", *twice, " twice");
  return values;
}

// Throws the errors that fitting single points of the grid would throw.
void check_points(const ForestData& data, const ForestGrid& grid, const ForestOptions& base) {
  ForestOptions options = base;
  options.trees = grid.trees.back();
  options.max_depth = grid.max_depth.back();
  for (const std::int64_t features : grid.max_features) {
    options.max_features = features;
    options.min_samples_leaf = grid.min_samples_leaf.front();
    check_fit(data, options);
  }
}

template <class Choose>
std::vector<std::uint8_t> rows_of(std::span<const int> fold_of, const Choose& choose) {
  std::vector<std::uint8_t> chosen(fold_of.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = choose(fold_of[i]) ? 1 : 0;
  return chosen;
}

ForestGrid checked(const ForestGrid& grid) {
  const auto less = [](auto a, auto b) { return a < b; };
  ForestGrid out{axis(grid.trees, "trees", less), axis(grid.max_depth, "max_depth", deeper),
                 axis(grid.max_features, "max_features", less),
                 axis(grid.min_samples_leaf, "min_samples_leaf", less)};
  require(out.trees.front() > 0, "forest: ", out.trees.front(), " trees are requested, at least 1 is needed");
  for (const int depth : out.max_depth)
    require(depth >= 0, "forest: max_depth is ", depth, "; it must be 0 (no limit) or positive");
  return out;
}

// The number of trees that grow in parallel before their predictions are added up: enough for all threads,
// but few enough to keep the predictions of all their leaves in memory.
std::int64_t batch_of(const ForestGrid& grid, std::int64_t rows) {
  constexpr std::int64_t kTrees = 64, kNodes = std::int64_t{1} << 20;
  const int depth = grid.max_depth.back();
  const std::int64_t limit = 2 * rows, most = depth == 0 || depth > 40 ? limit : std::int64_t{2} << depth;
  const std::int64_t threads = omp_get_max_threads();
  return std::max(2 * threads, std::min(kTrees, kNodes / std::min(limit, most)));
}

// Rows that a tree did not draw, as bits.
std::vector<std::uint64_t> unseen_rows(std::span<const std::uint8_t> counts) {
  std::vector<std::uint64_t> bits((counts.size() + 63) / 64, 0);
  for (std::size_t i = 0; i < counts.size(); ++i)
    bits[i / 64] |= std::uint64_t{counts[i] == 0 ? 1U : 0U} << i % 64;
  return bits;
}

// Grows all trees of the grid for one number of columns per node on one set of rows.
class FamilySearch {
 public:
  FamilySearch(const ForestData& training, const ForestGrid& grid, const ForestOptions& base, Stage& stage)
      : stage_(stage),
        rows_(static_cast<std::size_t>(training.table.rows())),
        grid_(grid),
        options_(base),
        growth_(make_growth(training, base.search)) {
    options_.trees = grid.trees.back();
    options_.max_depth = grid.max_depth.back();
  }
  const FixedData& fixed() const { return growth_->fixed; }

  // Calls add(families, unseen rows of each) in the order of trees, and stop(t) after grid.trees[t] trees.
  template <class Add, class Stop>
  void run(std::int64_t max_features, bool with_unseen, const Add& add, const Stop& stop) {
    options_.max_features = max_features;
    Growers growers(*growth_, options_, rows_);
    const std::int64_t batch = batch_of(grid_, static_cast<std::int64_t>(rows_));
    std::int64_t first = 0;
    for (std::size_t t = 0; t < grid_.trees.size(); ++t) {
      while (first < grid_.trees[t]) {
        const auto count = static_cast<std::size_t>(std::min(batch, grid_.trees[t] - first));
        std::vector<Family> families(count);
        std::vector<std::vector<std::uint64_t>> unseen(with_unseen ? count : 0);
        parallel_for(static_cast<std::int64_t>(count), [&](std::int64_t i) {
          Growers::Worker worker = growers.take();
          draw_rows(options_, first + i, {}, worker.counts);
          const auto at = static_cast<std::size_t>(i);
          families[at] = worker.grower->grow_family(first + i, worker.counts, grid_.min_samples_leaf);
          if (with_unseen) unseen[at] = unseen_rows(worker.counts);
          growers.give_back(std::move(worker));
        });
        add(families, unseen);
        first += static_cast<std::int64_t>(count);
        stage_.add(static_cast<std::int64_t>(count));
      }
      stop(t);
    }
  }

 private:
  Stage& stage_;
  std::size_t rows_;
  const ForestGrid& grid_;
  ForestOptions options_;
  std::unique_ptr<GrowthData> growth_;
};

// The scores of the whole grid.
class Scores {
 public:
  explicit Scores(const ForestGrid& grid) : grid_(grid) {
    for (const std::int64_t features : grid.max_features) {
      for (const std::int64_t leaf : grid.min_samples_leaf) {
        for (const int depth : grid.max_depth) {
          for (const std::int64_t trees : grid.trees) scores_.push_back({trees, depth, features, leaf, {}});
        }
      }
    }
  }

  void add_fold(FamilySearch& search, std::size_t features, const ForestData& held_out) {
    FamilySums<double> sums(held_out.table, grid_.max_depth, grid_.min_samples_leaf.size());
    const auto add = [&](std::span<const Family> families, const auto&) {
      sums.add(families, [](double value) { return value; });
    };
    search.run(grid_.max_features[features], false, add, [&](std::size_t t) {
      // The same sums in the same order as ForestPredictor's, and the same division.
      const auto trees = static_cast<double>(grid_.trees[t]);
      for_each(features, t, [&](SearchScore& score, std::size_t leaf, std::size_t depth) {
        score.fold_r2.push_back(r_squared_of(
            held_out, sums, [&](std::size_t row) { return sums.sum(row, leaf, depth) / trees; }));
      });
    });
  }

  void add_out_of_bag(FamilySearch& search, std::size_t features, const ForestData& data) {
    FamilySums<std::int64_t> sums(data.table, grid_.max_depth, grid_.min_samples_leaf.size());
    const auto add = [&](std::span<const Family> families,
                         std::span<const std::vector<std::uint64_t>> unseen) {
      sums.add(
          families, [&](double value) { return oob_fixed(search.fixed(), value); }, unseen);
    };
    search.run(grid_.max_features[features], true, add, [&](std::size_t t) {
      for_each(features, t, [&](SearchScore& score, std::size_t leaf, std::size_t depth) {
        score.oob_r2 = r_squared_of(data, sums, [&](std::size_t row) {
          if (sums.trees(row) == 0) return std::numeric_limits<double>::quiet_NaN();
          return oob_value(search.fixed(), sums.sum(row, leaf, depth), sums.trees(row));
        });
      });
    });
  }

  std::vector<SearchScore> finished() && {
    for (SearchScore& score : scores_) {
      const auto n = static_cast<double>(score.fold_r2.size());
      if (n == 0) continue;
      score.cv_r2 = std::accumulate(score.fold_r2.begin(), score.fold_r2.end(), 0.0) / n;
      double squares = 0;
      for (const double r2 : score.fold_r2) squares += (r2 - score.cv_r2) * (r2 - score.cv_r2);
      score.cv_r2_error = std::sqrt(squares / (n - 1) / n);
    }
    return std::move(scores_);
  }

 private:
  template <class Sums, class Predict>
  static double r_squared_of(const ForestData& data, const Sums& sums, const Predict& predict) {
    std::vector<double> prediction(sums.rows());
    for (std::size_t row = 0; row < prediction.size(); ++row) prediction[row] = predict(row);
    return r_squared(data.target, prediction);
  }
  // Calls use(score, leaf size, depth) in parallel for the points with grid.trees[t] trees.
  template <class Use>
  void for_each(std::size_t features, std::size_t t, const Use& use) {
    const std::size_t leaves = grid_.min_samples_leaf.size(), depths = grid_.max_depth.size();
    parallel_for(static_cast<std::int64_t>(leaves * depths), [&](std::int64_t i) {
      const std::size_t leaf = static_cast<std::size_t>(i) / depths,
                        depth = static_cast<std::size_t>(i) % depths;
      const std::size_t row = (features * leaves + leaf) * depths + depth;
      use(scores_[row * grid_.trees.size() + t], leaf, depth);
    });
  }

  const ForestGrid& grid_;
  std::vector<SearchScore> scores_;  // [columns per node][leaf size][depth][trees]
};

}  // namespace

std::vector<SearchScore> search_forest(const ForestData& data, const SearchRequest& request) {
  const ForestGrid grid = checked(request.grid);
  require(request.folds > 0 || request.out_of_bag,
          "forest: neither cross-validation nor out-of-bag scores are requested");
  require(request.base.max_leaf_nodes == 0,
          "forest: max_leaf_nodes cannot be combined with a search: best-first trees do not nest");
  require(!request.out_of_bag || request.base.bootstrap != ForestOptions::Bootstrap::kNone,
          "forest: without bootstrap every tree sees all rows and there is no out-of-bag score");
  check_points(data, grid, request.base);
  const std::vector<std::uint8_t> used = used_rows(data);
  std::vector<int> fold_of;
  if (request.folds > 0)
    fold_of = request.fold_of.empty() ? make_folds(used, request.folds, request.base.seed)
                                      : used_folds(used, request.fold_of, request.folds);
  const auto families = static_cast<std::int64_t>(grid.max_features.size());
  const std::int64_t all = families * (request.folds + (request.out_of_bag ? 1 : 0));
  std::int64_t done = 0;
  Stage stage(request.stages, "growing trees", all * grid.trees.back());
  Scores scores(grid);
  const auto each = [&](const auto& score) {
    for (std::size_t features = 0; features < grid.max_features.size(); ++features) {
      if (request.progress) request.progress(done, all);
      ++done;
      score(features);
    }
  };
  for (int fold = 0; fold < request.folds; ++fold) {
    const TableRows held_out(data, rows_of(fold_of, [&](int f) { return f == fold; }));
    std::optional<TableRows> training(std::in_place, data,
                                      rows_of(fold_of, [&](int f) { return f >= 0 && f != fold; }));
    FamilySearch search(training->data(), grid, request.base, stage);
    training.reset();
    each([&](std::size_t features) { scores.add_fold(search, features, held_out.data()); });
  }
  if (request.out_of_bag) {
    const TableRows rows(data, used);
    FamilySearch search(rows.data(), grid, request.base, stage);
    each([&](std::size_t features) { scores.add_out_of_bag(search, features, rows.data()); });
  }
  return std::move(scores).finished();
}

std::size_t best_of(const std::vector<SearchScore>& scores, SearchScorer scorer) {
  require(!scores.empty(), "forest: there is no score to choose from");
  const auto value = [&](const SearchScore& s) {
    return scorer == SearchScorer::kOutOfBag ? s.oob_r2 : s.cv_r2;
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < scores.size(); ++i) {
    if (value(scores[i]) > value(scores[best]) || std::isnan(value(scores[best]))) best = i;
  }
  return best;
}

}  // namespace umbra

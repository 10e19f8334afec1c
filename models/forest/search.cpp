#include "models/forest/search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/philox.h"
#include "models/forest/predict.h"

namespace umbra {
namespace {

bool deeper(int a, int b) {
  return a != 0 && (b == 0 || a < b);
}

// Sorted; throws where a value is there twice, or none.
template <class T, class Less>
std::vector<T> axis(std::vector<T> values, const char* name, Less less) {
  require(!values.empty(), "forest: the grid has no value of ", name);
  std::sort(values.begin(), values.end(), less);
  const auto twice = std::adjacent_find(values.begin(), values.end());
  if (twice != values.end()) fail("forest: the grid names ", name, " ", *twice, " twice");
  return values;
}

ForestGrid checked(const ForestGrid& grid) {
  const auto less = [](auto a, auto b) { return a < b; };
  ForestGrid out{axis(grid.trees, "trees", less), axis(grid.max_depth, "max_depth", deeper),
                 axis(grid.max_features, "max_features", less),
                 axis(grid.min_samples_leaf, "min_samples_leaf", less)};
  require(out.trees.front() > 0, "forest: ", out.trees.front(), " trees are asked for, at least 1 is needed");
  for (const int depth : out.max_depth)
    require(depth >= 0, "forest: max_depth is ", depth, "; it is 0 (no limit) or positive");
  return out;
}

// The rows held out, copied together: a fifth of the data, and walks need not pass over the rest.
struct HeldOut {
  std::vector<std::string> names;
  std::vector<std::vector<double>> columns;
  std::vector<double> target;

  HeldOut(const ForestData& data, std::span<const int> fold_of, int fold) : names(data.table.names()) {
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < fold_of.size(); ++i) {
      if (fold_of[i] != fold) continue;
      rows.push_back(static_cast<std::int64_t>(i));
      target.push_back(data.target[i]);
    }
    for (std::int64_t f = 0; f < data.table.features(); ++f) {
      std::vector<double>& column = columns.emplace_back();
      for (const std::int64_t row : rows) column.push_back(data.table.value(f, row));
    }
  }
  ForestTable table() const {
    ForestTable t;
    for (std::size_t f = 0; f < names.size(); ++f) t.add(names[f], std::span<const double>(columns[f]));
    return t;
  }
};

// What each node says of its rows when the tree is cut at each depth: [depth][node].
std::vector<std::vector<double>> values_at_depths(const ForestTree& tree, std::span<const int> depths) {
  std::vector<int> level(tree.size(), 0);
  std::vector<std::vector<double>> values(depths.size(), std::vector<double>(tree.size()));
  for (auto& at_depth : values) at_depth[0] = tree[0].value;
  for (std::size_t i = 0; i < tree.size(); ++i) {  // children come after their parents
    if (tree[i].leaf()) continue;
    const auto left = static_cast<std::size_t>(tree[i].left);
    for (const std::size_t child : {left, left + 1}) {
      level[child] = level[i] + 1;
      for (std::size_t d = 0; d < depths.size(); ++d)
        values[d][child] = deeper(depths[d], level[child]) ? values[d][i] : tree[child].value;
    }
  }
  return values;
}

// Mean predictions of the first trees, cut at all depths, in one walk. Sums run over the trees in order, as
// ForestPredictor's.
class Nested final : public ForestPredictor::Visitor {
 public:
  Nested(const Forest& forest, const ForestGrid& grid, std::size_t rows)
      : trees_(grid.trees),
        depths_(grid.max_depth.size()),
        rows_(rows),
        sums_(depths_ * rows),
        means_(trees_.size() * depths_, std::vector<double>(rows)) {
    for (const ForestTree& tree : forest.trees) values_.push_back(values_at_depths(tree, grid.max_depth));
  }
  void visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> at) override {
    const auto stop = std::find(trees_.begin(), trees_.end(), tree + 1);
    for (std::size_t d = 0; d < depths_; ++d) {
      const double* values = values_[static_cast<std::size_t>(tree)][d].data();
      double* sums = sums_.data() + d * rows_ + static_cast<std::size_t>(first_row);
      for (std::size_t r = 0; r < at.size(); ++r) sums[r] += values[at[r]];
      if (stop == trees_.end()) continue;
      double* to = means_[static_cast<std::size_t>(stop - trees_.begin()) * depths_ + d].data() + first_row;
      for (std::size_t r = 0; r < at.size(); ++r) to[r] = sums[r] / static_cast<double>(tree + 1);
    }
  }
  /// [trees][depths]: [rows].
  const std::vector<std::vector<double>>& means() const { return means_; }

 private:
  const std::vector<std::int64_t>& trees_;
  std::size_t depths_, rows_;
  std::vector<double> sums_;                              // [depth][row]
  std::vector<std::vector<double>> means_;                // [trees][depth]: [row]
  std::vector<std::vector<std::vector<double>>> values_;  // [tree][depth][node]
};

// One pair of columns per node and rows per leaf: the scores of all numbers of trees and depths.
class Family {
 public:
  Family(const ForestData& data, const ForestGrid& grid, const ForestOptions& options)
      : data_(data), grid_(grid), options_(options) {
    options_.trees = grid.trees.back();
    options_.max_depth = grid.max_depth.back();
    for (const int depth : grid.max_depth) {
      for (const std::int64_t trees : grid.trees)
        scores_.push_back({trees, depth, options.max_features, options.min_samples_leaf, {}});
    }
  }

  void score_fold(std::span<const int> fold_of, int fold) {
    std::vector<std::uint8_t> mask(fold_of.size());
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = fold_of[i] >= 0 && fold_of[i] != fold ? 1 : 0;
    const Forest forest = fit_forest({data_.table, data_.target, data_.weights, mask}, options_);
    const HeldOut held_out(data_, fold_of, fold);
    Nested nested(forest, grid_, held_out.target.size());
    ForestPredictor(forest).visit(held_out.table(), nested);
    for_each([&](SearchScore& score, std::size_t at) {
      score.fold_r2.push_back(r_squared(held_out.target, nested.means()[at]));
    });
  }

  void score_out_of_bag() {
    OutOfBagRequest request{grid_.max_depth, grid_.trees};
    fit_forest(data_, options_, &request);
    for_each([&](SearchScore& score, std::size_t at) {
      score.oob_r2 = r_squared(data_.target, request.results[at].prediction);
    });
  }

  std::vector<SearchScore> scores() const {
    std::vector<SearchScore> out = scores_;
    for (SearchScore& score : out) {
      const auto n = static_cast<double>(score.fold_r2.size());
      if (n == 0) continue;
      score.cv_r2 = std::accumulate(score.fold_r2.begin(), score.fold_r2.end(), 0.0) / n;
      double squares = 0;
      for (const double r2 : score.fold_r2) squares += (r2 - score.cv_r2) * (r2 - score.cv_r2);
      score.cv_r2_error = std::sqrt(squares / (n - 1) / n);
    }
    return out;
  }

 private:
  // use(score, where predictions of its trees and depth stand: [trees][depths])
  template <class Use>
  void for_each(const Use& use) {
    const std::size_t trees = grid_.trees.size(), depths = grid_.max_depth.size();
    for (std::size_t d = 0; d < depths; ++d) {
      for (std::size_t t = 0; t < trees; ++t) use(scores_[d * trees + t], t * depths + d);
    }
  }

  const ForestData& data_;
  const ForestGrid& grid_;
  ForestOptions options_;
  std::vector<SearchScore> scores_;  // [depths][trees]
};

}  // namespace

std::vector<int> make_folds(std::span<const std::uint8_t> used, std::span<const std::int64_t> groups,
                            int folds, std::uint64_t seed) {
  require(folds >= 2, "forest: cross-validation needs at least 2 folds, not ", folds);
  require(groups.empty() || groups.size() == used.size(), "forest: ", used.size(), " rows, but ",
          groups.size(), " groups of rows");
  const auto group = [&](std::size_t i) { return groups.empty() ? static_cast<std::int64_t>(i) : groups[i]; };
  struct Member {
    std::uint64_t key;
    std::int64_t group;
    std::size_t row;
  };
  const Rng rng(seed, Purpose::kForestFolds);
  std::vector<Member> members;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] == 0) continue;
    const Philox4 words = rng.words(static_cast<std::uint64_t>(group(i)));
    members.push_back({std::uint64_t{words[0]} << 32 | words[1], group(i), i});
  }
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return a.key != b.key ? a.key < b.key : a.group != b.group ? a.group < b.group : a.row < b.row;
  });
  std::vector<int> fold_of(used.size(), -1);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(folds), 0);
  int groups_seen = 0;
  for (std::size_t i = 0; i < members.size(); groups_seen += groups_seen < folds ? 1 : 0) {
    const auto fewest = std::min_element(rows.begin(), rows.end());
    const std::int64_t current = members[i].group;
    for (; i < members.size() && members[i].group == current; ++i, ++*fewest)
      fold_of[members[i].row] = static_cast<int>(fewest - rows.begin());
  }
  require(groups_seen == folds, "forest: ", groups_seen, " groups of rows cannot fill ", folds, " folds");
  return fold_of;
}

std::vector<SearchScore> search_forest(const ForestData& data, const SearchRequest& request) {
  const ForestGrid grid = checked(request.grid);
  require(request.folds > 0 || request.out_of_bag,
          "forest: neither cross-validation nor out-of-bag scores are asked for");
  require(request.base.max_leaf_nodes == 0,
          "forest: max_leaf_nodes cannot be combined with a search: best-first trees do not nest");
  require(!request.out_of_bag || request.base.bootstrap != ForestOptions::Bootstrap::kNone,
          "forest: without bootstrap every tree sees all rows and there is no out-of-bag score");
  std::vector<int> fold_of;
  if (request.folds > 0)
    fold_of = make_folds(used_rows(data), request.groups, request.folds, request.base.seed);
  const std::int64_t pairs =
      static_cast<std::int64_t>(grid.max_features.size() * grid.min_samples_leaf.size());
  const std::int64_t all = pairs * (request.folds + (request.out_of_bag ? 1 : 0));
  std::int64_t done = 0;
  const auto next = [&] {
    if (request.progress) request.progress(done, all);
    ++done;
  };
  std::vector<SearchScore> scores;
  for (const std::int64_t features : grid.max_features) {
    for (const std::int64_t leaf : grid.min_samples_leaf) {
      ForestOptions options = request.base;
      options.max_features = features;
      options.min_samples_leaf = leaf;
      Family family(data, grid, options);
      for (int fold = 0; fold < request.folds; ++fold) {
        next();
        family.score_fold(fold_of, fold);
      }
      if (request.out_of_bag) {
        next();
        family.score_out_of_bag();
      }
      const std::vector<SearchScore> own = family.scores();
      scores.insert(scores.end(), own.begin(), own.end());
    }
  }
  return scores;
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

#include "models/forest/importance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

// Mean over trees and its standard error, of per[tree][column].
Importance over_trees(const std::vector<std::vector<double>>& per, std::size_t columns) {
  Importance out{std::vector<double>(columns, 0), std::vector<double>(columns, 0)};
  const auto trees = static_cast<double>(per.size());
  for (std::size_t f = 0; f < columns && !per.empty(); ++f) {
    for (const auto& tree : per) out.mean[f] += tree[f] / trees;
    double squares = 0;
    for (const auto& tree : per) squares += (tree[f] - out.mean[f]) * (tree[f] - out.mean[f]);
    out.standard_error[f] = trees > 1 ? std::sqrt(squares / (trees - 1) / trees) : 0;
  }
  return out;
}

// The used rows that tree number `tree` did not see.
std::vector<std::int64_t> unseen_rows(const Forest& forest, const ForestData& data, std::int64_t tree) {
  const std::vector<std::uint8_t> used = used_rows(data);
  std::vector<std::uint8_t> counts(used.size());
  draw_rows(forest.options, tree, used, counts);
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] != 0 && counts[i] == 0) rows.push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

double weight_of(const ForestData& data, std::int64_t row) {
  return data.weights.empty() ? 1 : data.weights[static_cast<std::size_t>(row)];
}

struct Moments {
  double weight = 0, mean = 0, variance = 0;
};
Moments moments(const ForestData& data, const std::vector<std::int64_t>& rows) {
  Moments m;
  for (const std::int64_t row : rows) m.weight += weight_of(data, row);
  for (const std::int64_t row : rows)
    m.mean += weight_of(data, row) * data.target[static_cast<std::size_t>(row)] / m.weight;
  for (const std::int64_t row : rows) {
    const double d = data.target[static_cast<std::size_t>(row)] - m.mean;
    m.variance += weight_of(data, row) * d * d / m.weight;
  }
  return m;
}

bool goes_right(const ForestNode& node, double x) {
  return std::isnan(x) ? !node.missing_left : x > node.threshold;
}

// One value per group of every tree. Trees without unseen rows or with constant targets are ignored.
template <class OfTree>
Importance from_trees(const Forest& forest, const ForestData& data, std::size_t columns, Stage& stage,
                      const OfTree& of_tree) {
  const std::size_t trees = forest.trees.size();
  std::vector<std::vector<double>> per(trees);
  parallel_for(static_cast<std::int64_t>(trees), [&](std::int64_t t) {
    const std::vector<std::int64_t> rows = unseen_rows(forest, data, t);
    const Moments m = moments(data, rows);
    if (!rows.empty() && m.variance > 0) per[static_cast<std::size_t>(t)] = of_tree(t, rows, m);
    stage.add();
  });
  std::erase_if(per, [](const auto& tree) { return tree.empty(); });
  require(!per.empty(),
          "forest: no tree left a row out, so there are no unseen rows to measure the importance on");
  return over_trees(per, columns);
}

}  // namespace

Importance decrease_of_variance(const Forest& forest) {
  const std::size_t columns = forest.features.size();
  std::vector<std::vector<double>> per;
  for (const ForestTree& tree : forest.trees) {
    std::vector<double> gains(columns, 0);
    for (const ForestNode& node : tree) {
      if (!node.leaf()) gains[node.feature] += node.gain;
    }
    const double sum = std::accumulate(gains.begin(), gains.end(), 0.0);
    if (!(sum > 0)) continue;  // a single node
    for (double& gain : gains) gain /= sum;
    per.push_back(std::move(gains));
  }
  Importance out = over_trees(per, columns);
  const double sum = std::accumulate(out.mean.begin(), out.mean.end(), 0.0);
  for (std::size_t f = 0; f < columns && sum > 0; ++f) {
    out.mean[f] /= sum;
    out.standard_error[f] /= sum;
  }
  return out;
}

Importance unbiased_decrease(const Forest& forest, const ForestData& data, const StageReport& progress) {
  Stage stage(progress, "measuring the decrease of variance", std::ssize(forest.trees));
  const std::size_t columns = forest.features.size();
  return from_trees(forest, data, columns, stage,
                    [&](std::int64_t t, const std::vector<std::int64_t>& rows, const Moments& m) {
                      const ForestTree& tree = forest.trees[static_cast<std::size_t>(t)];
                      std::vector<double> sums(columns, 0);
                      for (const std::int64_t row : rows) {
                        const double y =
                            weight_of(data, row) * (data.target[static_cast<std::size_t>(row)] - m.mean);
                        for (std::size_t at = 0; !tree[at].leaf();) {
                          const ForestNode& node = tree[at];
                          at = static_cast<std::size_t>(node.left) +
                               (goes_right(node, data.table.value(node.feature, row)) ? 1 : 0);
                          sums[node.feature] += (tree[at].value - node.value) * y;
                        }
                      }
                      for (double& sum : sums) sum /= m.weight * m.variance;
                      return sums;
                    });
}

Importance permutation(const Forest& forest, const ForestData& data,
                       const std::vector<std::vector<int>>& groups, const StageReport& progress) {
  for (const auto& group : groups) {
    for (const int f : group)
      require(f >= 0 && f < static_cast<int>(forest.features.size()), "forest: a group names column ", f,
              " of ", forest.features.size());
  }
  Stage stage(progress, "permuting columns", std::ssize(forest.trees));
  return from_trees(forest, data, groups.size(), stage,
                    [&](std::int64_t t, const std::vector<std::int64_t>& rows, const Moments& m) {
                      const ForestTree& tree = forest.trees[static_cast<std::size_t>(t)];
                      std::vector<std::int64_t> donor(rows);  // whose values a row gets
                      std::vector<std::uint8_t> permuted(forest.features.size());
                      const auto squared_error = [&](std::size_t i) {
                        std::size_t at = 0;
                        while (!tree[at].leaf()) {
                          const ForestNode& node = tree[at];
                          const std::int64_t row = permuted[node.feature] != 0 ? donor[i] : rows[i];
                          at = static_cast<std::size_t>(node.left) +
                               (goes_right(node, data.table.value(node.feature, row)) ? 1 : 0);
                        }
                        const double d = tree[at].value - data.target[static_cast<std::size_t>(rows[i])];
                        return weight_of(data, rows[i]) * d * d;
                      };
                      std::vector<double> before(rows.size()), growth(groups.size(), 0);
                      for (std::size_t i = 0; i < rows.size(); ++i) before[i] = squared_error(i);
                      for (std::size_t g = 0; g < groups.size(); ++g) {
                        const Rng rng(forest.options.seed, Purpose::kForestPermutation,
                                      static_cast<std::uint64_t>(t) * groups.size() + g);
                        donor = rows;
                        for (std::size_t i = donor.size() - 1; i > 0; --i)
                          std::swap(donor[i], donor[rng.below(i, i + 1)]);
                        std::fill(permuted.begin(), permuted.end(), std::uint8_t{0});
                        for (const int f : groups[g]) permuted[static_cast<std::size_t>(f)] = 1;
                        for (std::size_t i = 0; i < rows.size(); ++i)
                          growth[g] += squared_error(i) - before[i];
                        growth[g] /= m.weight * m.variance;
                      }
                      return growth;
                    });
}

std::vector<std::vector<int>> single_columns(const Forest& forest) {
  std::vector<std::vector<int>> groups;
  for (std::size_t f = 0; f < forest.features.size(); ++f) groups.push_back({static_cast<int>(f)});
  return groups;
}

}  // namespace umbra

#include "models/forest/distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::int64_t kLeaves = std::int64_t{1} << 25;  // rows times trees that walk down at once: 128 MB
constexpr std::size_t kMostEdges = std::numeric_limits<std::uint16_t>::max() - 1;

class LeavesOfRows final : public ForestPredictor::Visitor {
 public:
  LeavesOfRows(std::int64_t trees, std::int64_t rows)
      : rows_(static_cast<std::size_t>(rows)), leaf_(static_cast<std::size_t>(trees * rows)) {}
  void visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> at) override {
    std::copy(at.begin(), at.end(),
              leaf_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(tree) * rows_) +
                  static_cast<std::ptrdiff_t>(first_row));
  }
  std::span<const std::uint32_t> of(std::int64_t tree) const {
    return std::span(leaf_).subspan(static_cast<std::size_t>(tree) * rows_, rows_);
  }

 private:
  std::size_t rows_;
  std::vector<std::uint32_t> leaf_;  // [tree][row]
};

// The quantile of the mixture `sums` [codes] of one row.
double quantile(std::span<const double> sums, const std::vector<double>& edges, double at) {
  double total = 0;
  for (const double s : sums) total += s;
  double left = at * total - sums[0];
  if (left <= 0 && sums[0] > 0) return edges.front();
  double last = edges.front();  // upper edge of the last occupied bin so far
  for (std::size_t b = 0; b + 1 < edges.size(); ++b) {
    const double here = sums[b + 1];
    if (!(here > 0)) continue;
    if (left <= here) return edges[b] + std::max(left, 0.0) / here * (edges[b + 1] - edges[b]);
    left -= here;
    last = edges[b + 1];
  }
  return sums.back() > 0 ? edges.back() : last;
}

}  // namespace

std::vector<double> equal_edges(const ForestData& data, std::int64_t bins) {
  require(bins > 0 && bins < static_cast<std::int64_t>(kMostEdges), "forest: ", bins,
          " bins of the target are requested; 1 to ", kMostEdges - 1, " are possible");
  const std::vector<std::uint8_t> used = used_rows(data);
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] == 0) continue;
    low = std::min(low, data.target[i]);
    high = std::max(high, data.target[i]);
  }
  require(low <= high, "forest: every row is masked or has weight 0, there is nothing to learn from");
  std::vector<double> edges;
  for (std::int64_t b = 0; b < bins; ++b)
    edges.push_back(low + (high - low) * (static_cast<double>(b) / static_cast<double>(bins)));
  edges.push_back(std::nextafter(high, std::numeric_limits<double>::infinity()));
  const auto not_above = [](double a, double b) { return !(b > a); };
  if (std::adjacent_find(edges.begin(), edges.end(), not_above) != edges.end())
    edges = {low, edges.back()};  // too close together to be divided
  return edges;
}

// Adds up the histograms of the leaves of each row, then calls finish(row, sums [codes], number of trees).
// Several threads call it for different rows.
template <class Finish>
class LeafHistograms::Mixture final : public ForestPredictor::Visitor {
 public:
  Mixture(const LeafHistograms& of, const DrawnRows& drawn, const Finish& finish)
      : of_(of), drawn_(drawn), finish_(finish) {}

  void visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> at) override {
    // One thread passes a block of rows through all trees, in order.
    thread_local std::vector<double> sums;
    thread_local std::vector<std::int32_t> trees;
    const std::size_t codes = of_.codes(), first = static_cast<std::size_t>(first_row);
    if (tree == 0) {
      sums.assign(at.size() * codes, 0);
      trees.assign(at.size(), 0);
    }
    const Tree& histograms = of_.trees_[static_cast<std::size_t>(tree)];
    for (std::size_t r = 0; r < at.size(); ++r) {
      if (!drawn_.empty() && drawn_[static_cast<std::size_t>(tree)][first + r]) continue;
      ++trees[r];
      double* to = sums.data() + r * codes;
      for (std::uint32_t k = histograms.begin[at[r]]; k < histograms.begin[at[r] + 1]; ++k)
        to[histograms.code[k]] += static_cast<double>(histograms.share[k]);
    }
    if (static_cast<std::size_t>(tree) + 1 < of_.trees_.size()) return;
    for (std::size_t r = 0; r < at.size(); ++r)
      finish_(first + r, std::span<const double>(sums).subspan(r * codes, codes), trees[r]);
  }

 private:
  const LeafHistograms& of_;
  const DrawnRows& drawn_;
  const Finish& finish_;
};

LeafHistograms::LeafHistograms(const Forest& forest, const ForestData& data, std::vector<double> edges,
                               const ForestTable* without_target)
    : edges_(std::move(edges)), options_(forest.options), predictor_(forest), trees_(forest.trees.size()) {
  const auto not_above = [](double a, double b) { return !(b > a); };
  require(edges_.size() >= 2 && edges_.size() <= kMostEdges && std::isfinite(edges_.front()) &&
              std::isfinite(edges_.back()) &&
              std::adjacent_find(edges_.begin(), edges_.end(), not_above) == edges_.end(),
          "forest: the edges of the target's bins are 2 to ", kMostEdges, " ascending numbers");
  const std::int64_t rows = data.table.rows();
  require(rows > 0 && static_cast<std::int64_t>(data.target.size()) == rows, "forest: ", rows, " rows, but ",
          data.target.size(), " targets");
  const std::vector<std::uint8_t> used = used_rows(data);
  std::vector<std::uint16_t> code;  // [rows]
  for (const double y : data.target)
    code.push_back(
        static_cast<std::uint16_t>(std::upper_bound(edges_.begin(), edges_.end(), y) - edges_.begin()));

  const std::int64_t trees = static_cast<std::int64_t>(trees_.size());
  const std::int64_t others = without_target != nullptr ? without_target->rows() : 0;
  const std::int64_t together = std::clamp<std::int64_t>(kLeaves / (rows + others), 1, trees);
  for (std::int64_t first = 0; first < trees; first += together) {
    const std::int64_t last = std::min(trees, first + together);
    const Forest part{
        forest.options, forest.features, {forest.trees.begin() + first, forest.trees.begin() + last}};
    LeavesOfRows leaves(last - first, rows);
    LeavesOfRows empty(last - first, others);
    const ForestPredictor predictor(part);
    predictor.visit(data.table, leaves);
    if (others > 0) predictor.visit(*without_target, empty);
    parallel_for(last - first, [&](std::int64_t i) {
      std::vector<std::uint8_t> counts(used.size());
      draw_rows(options_, first + i, used, counts);
      trees_[static_cast<std::size_t>(first + i)] = histograms(
          part.trees[static_cast<std::size_t>(i)], leaves.of(i), counts, code, data.weights, empty.of(i));
    });
  }
  for (std::size_t t = 0; t < trees_.size(); ++t)
    require(trees_[t].wrong_node < 0, "forest: node ", trees_[t].wrong_node, " of tree ", t,
            " was grown on other rows than the given ones; these are not the data it was fitted on");
}

LeafHistograms::Tree LeafHistograms::histograms(const ForestTree& tree, std::span<const std::uint32_t> leaf,
                                                std::span<const std::uint8_t> counts,
                                                std::span<const std::uint16_t> code,
                                                std::span<const double> weights,
                                                std::span<const std::uint32_t> without_target) const {
  std::vector<std::uint32_t> begin(tree.size() + 1, 0), rows;  // rows begin[i] to begin[i + 1] are in node i
  for (std::size_t r = 0; r < leaf.size(); ++r) begin[leaf[r] + 1] += counts[r] != 0 ? 1 : 0;
  for (std::size_t i = 0; i < tree.size(); ++i) begin[i + 1] += begin[i];
  rows.resize(begin.back());
  std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
  for (std::size_t r = 0; r < leaf.size(); ++r) {
    if (counts[r] != 0) rows[next[leaf[r]]++] = static_cast<std::uint32_t>(r);
  }

  std::vector<std::uint32_t> empty(tree.size(), 0);
  for (const std::uint32_t node : without_target) ++empty[node];

  Tree out;
  out.begin.push_back(0);
  std::vector<double> sums(codes(), 0);
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (tree[i].leaf() && tree[i].rows != std::int64_t{begin[i + 1]} - begin[i]) {
      out.wrong_node = static_cast<std::int64_t>(i);
      return out;
    }
    double total = empty[i];
    std::size_t low = sums.size(), high = 0;
    for (std::uint32_t k = begin[i]; k < begin[i + 1]; ++k) {
      const std::size_t r = rows[k];
      const double weight = counts[r] * (weights.empty() ? 1 : weights[r]);
      sums[code[r]] += weight;
      total += weight;
      low = std::min<std::size_t>(low, code[r]);
      high = std::max<std::size_t>(high, code[r]);
    }
    for (std::size_t c = low; c <= high && c < sums.size(); ++c) {
      if (sums[c] == 0) continue;
      out.code.push_back(static_cast<std::uint16_t>(c));
      out.share.push_back(static_cast<float>(sums[c] / total));
      sums[c] = 0;
    }
    out.begin.push_back(static_cast<std::uint32_t>(out.code.size()));
  }
  out.code.shrink_to_fit();
  out.share.shrink_to_fit();
  return out;
}

LeafHistograms::DrawnRows LeafHistograms::drawn_rows(const ForestData& data) const {
  const std::vector<std::uint8_t> used = used_rows(data);
  DrawnRows drawn(trees_.size(), std::vector<bool>(used.size()));
  parallel_for(static_cast<std::int64_t>(drawn.size()), [&](std::int64_t t) {
    std::vector<std::uint8_t> counts(used.size());
    draw_rows(options_, t, used, counts);
    for (std::size_t i = 0; i < counts.size(); ++i) drawn[static_cast<std::size_t>(t)][i] = counts[i] != 0;
  });
  return drawn;
}

std::vector<double> LeafHistograms::probabilities(const ForestTable& table, const DrawnRows& drawn) const {
  const auto wide = static_cast<std::size_t>(bins());
  std::vector<double> out(static_cast<std::size_t>(table.rows()) * wide);
  const auto finish = [&](std::size_t row, std::span<const double> sums, std::int32_t trees) {
    for (std::size_t b = 0; b < wide; ++b) out[row * wide + b] = sums[b + 1] / trees;  // NaN without any
  };
  Mixture mixture(*this, drawn, finish);
  predictor_.visit(table, mixture);
  return out;
}

std::vector<double> LeafHistograms::target_probabilities(const ForestTable& table) const {
  std::vector<double> out(static_cast<std::size_t>(table.rows()));
  const DrawnRows all;
  const auto finish = [&](std::size_t row, std::span<const double> sums, std::int32_t trees) {
    for (const double sum : sums) out[row] += sum / trees;
  };
  Mixture mixture(*this, all, finish);
  predictor_.visit(table, mixture);
  return out;
}

std::vector<double> LeafHistograms::quantiles(const ForestTable& table, std::span<const double> at,
                                              const DrawnRows& drawn) const {
  for (const double q : at)
    require(q >= 0 && q <= 1, "forest: a quantile at ", q, " is requested, but 0 to 1 is expected");
  std::vector<double> out(static_cast<std::size_t>(table.rows()) * at.size());
  const auto finish = [&](std::size_t row, std::span<const double> sums, std::int32_t trees) {
    for (std::size_t k = 0; k < at.size(); ++k)
      out[row * at.size() + k] =
          trees > 0 ? quantile(sums, edges_, at[k]) : std::numeric_limits<double>::quiet_NaN();
  };
  Mixture mixture(*this, drawn, finish);
  predictor_.visit(table, mixture);
  return out;
}

std::vector<double> LeafHistograms::probabilities(const ForestTable& table) const {
  return probabilities(table, {});
}
std::vector<double> LeafHistograms::quantiles(const ForestTable& table, std::span<const double> at) const {
  return quantiles(table, at, {});
}
std::vector<double> LeafHistograms::out_of_bag_probabilities(const ForestData& data) const {
  return probabilities(data.table, drawn_rows(data));
}
std::vector<double> LeafHistograms::out_of_bag_quantiles(const ForestData& data,
                                                         std::span<const double> at) const {
  return quantiles(data.table, at, drawn_rows(data));
}

}  // namespace umbra

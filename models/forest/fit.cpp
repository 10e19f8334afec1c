// Fitting a forest: the data in fixed point, the rows of every tree, and trees that grow in parallel.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/cpu/parallel.h"
#include "models/forest/forest.h"
#include "models/forest/growers.h"

namespace umbra {
namespace {

constexpr int kOobBits =
    16;  // bits after the fixed point of the target: 2^30 * 2^16 * 2^16 trees fit an integer

// Sums of out-of-bag predictions over all trees so far.
struct OutOfBagSums {
  const FixedData& fixed;
  std::size_t rows;
  std::vector<std::int64_t> sums;   // [depth][row]
  std::vector<std::int32_t> trees;  // [depth][row]

  OutOfBag of_depth(std::size_t d) const {
    OutOfBag result;
    result.trees.assign(trees.begin() + static_cast<std::ptrdiff_t>(d * rows),
                        trees.begin() + static_cast<std::ptrdiff_t>((d + 1) * rows));
    result.prediction.assign(rows, std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < rows; ++i) {
      if (result.trees[i] > 0) result.prediction[i] = oob_value(fixed, sums[d * rows + i], result.trees[i]);
    }
    return result;
  }
};

void check(const OutOfBagRequest& request, const ForestOptions& options) {
  const auto deeper = [](int a, int b) { return a != 0 && (b == 0 || a < b); };
  require(std::is_sorted(request.depths.begin(), request.depths.end(), deeper),
          "forest: the depths of out-of-bag predictions must ascend");
  for (std::size_t i = 0; i < request.trees.size(); ++i)
    require(request.trees[i] > (i == 0 ? 0 : request.trees[i - 1]) && request.trees[i] <= options.trees,
            "forest: the numbers of trees of out-of-bag predictions must ascend and lie between 1 and ",
            options.trees);
}

}  // namespace

void check_fit(const ForestData& data, const ForestOptions& o) {
  const std::int64_t rows = data.table.rows();
  require(data.table.features() > 0, "forest: there is no column to learn from");
  require(data.table.features() <= kMostFeatures, "forest: ", data.table.features(),
          " columns are given, at most ", kMostFeatures, " are possible");
  require(rows > 0, "forest: there is no row to learn from");
  require(rows < kMostRows, "forest: ", rows, " rows are given, fewer than ", kMostRows, " are possible");
  require(static_cast<std::int64_t>(data.target.size()) == rows, "forest: ", rows, " rows, but ",
          data.target.size(), " targets");
  require(data.weights.empty() || static_cast<std::int64_t>(data.weights.size()) == rows, "forest: ", rows,
          " rows, but ", data.weights.size(), " weights");
  require(data.mask.empty() || static_cast<std::int64_t>(data.mask.size()) == rows, "forest: ", rows,
          " rows, but ", data.mask.size(), " in the mask");
  for (std::size_t i = 0; i < data.target.size(); ++i)
    require(std::isfinite(data.target[i]), "forest: the target of row ", i, " is ", data.target[i],
            ", but a finite number is expected");
  for (std::size_t i = 0; i < data.weights.size(); ++i)
    require(std::isfinite(data.weights[i]) && data.weights[i] >= 0, "forest: the weight of row ", i, " is ",
            data.weights[i], "; weights must be finite and not negative");
  require(o.trees > 0, "forest: ", o.trees, " trees are requested, at least 1 is needed");
  require(o.max_depth >= 0, "forest: max_depth is ", o.max_depth, "; it must be 0 (no limit) or positive");
  require(o.min_samples_leaf > 0, "forest: min_samples_leaf is ", o.min_samples_leaf,
          "; it must be at least 1");
  require(o.max_features >= 0 && o.max_features <= data.table.features(), "forest: max_features is ",
          o.max_features, "; it must be 0 (all) or up to the number of columns, ", data.table.features());
  require(o.max_leaf_nodes == 0 || o.max_leaf_nodes >= 2, "forest: max_leaf_nodes is ", o.max_leaf_nodes,
          "; it must be 0 (no limit) or at least 2");
  const std::vector<std::uint8_t> used = used_rows(data);
  require(std::any_of(used.begin(), used.end(), [](std::uint8_t u) { return u != 0; }),
          "forest: every row is masked or has weight 0, there is nothing to learn from");
}

std::unique_ptr<GrowthData> make_growth(const ForestData& data, ForestOptions::Search search) {
  return search == ForestOptions::Search::kExact ? exact_growth(data) : binned_growth(data, search);
}

std::vector<std::uint8_t> used_rows(const ForestData& data) {
  std::vector<std::uint8_t> used(static_cast<std::size_t>(data.table.rows()), 1);
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!data.mask.empty() && data.mask[i] == 0) used[i] = 0;
    if (!data.weights.empty() && data.weights[i] == 0) used[i] = 0;
  }
  return used;
}

FixedData fixed_data(const ForestData& data) {
  FixedData out;
  const auto used = [&](std::size_t i) {
    return (data.mask.empty() || data.mask[i] != 0) && (data.weights.empty() || data.weights[i] > 0);
  };
  const std::size_t rows = data.target.size();
  int bits = 30;  // of the target, so that the sum over all rows fits 63
  if (!data.weights.empty()) {
    double total = 0, largest = 0;
    bool whole = true;
    for (std::size_t i = 0; i < rows; ++i) {
      if (!used(i)) continue;
      total += data.weights[i];
      largest = std::max(largest, data.weights[i]);
      whole = whole && data.weights[i] == std::floor(data.weights[i]);
    }
    // Rows are drawn up to 16 times, so 2^31 in total and 2^27 per row do not overflow the sums.
    const double room = std::min(0x1p31 / total, 0x1p27 / largest);
    out.weight_unit = whole && room >= 1 ? 1 : std::exp2(-std::floor(std::log2(room)));
    out.weights.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const double fixed = std::round(data.weights[i] / out.weight_unit);
      out.weights[i] = used(i) ? static_cast<std::uint32_t>(std::max(1.0, fixed)) : 0;
    }
    bits = 26;
  }
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool whole = true;
  for (std::size_t i = 0; i < rows; ++i) {
    if (!used(i)) continue;
    low = std::min(low, data.target[i]);
    high = std::max(high, data.target[i]);
    whole = whole && data.target[i] == std::floor(data.target[i]);
  }
  const double limit = std::exp2(bits);
  if (!(low <= high)) low = high = 0;
  if (!whole || std::max(std::abs(low), std::abs(high)) >= limit) {
    out.center = low / 2 + high / 2;
    const double half = std::max(high / 2 - low / 2, std::numeric_limits<double>::min() * limit);
    out.unit = std::exp2(std::ceil(std::log2(half)) - bits);
  }
  out.target.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    if (used(i))
      out.target[i] = static_cast<std::int32_t>(std::llround((data.target[i] - out.center) / out.unit));
  }
  return out;
}

std::int64_t oob_fixed(const FixedData& fixed, double value) {
  return std::llround(std::ldexp((value - fixed.center) / fixed.unit, kOobBits));
}
double oob_value(const FixedData& fixed, std::int64_t sum, std::int64_t trees) {
  return fixed.center +
         fixed.unit * std::ldexp(static_cast<double>(sum) / static_cast<double>(trees), -kOobBits);
}

FeatureDraw::FeatureDraw(const ForestOptions& options, std::int64_t features, std::int64_t tree)
    : features_(features),
      most_(options.max_features == 0 ? features : options.max_features),
      rng_(options.seed, Purpose::kForestFeatures, static_cast<std::uint64_t>(tree)),
      thresholds_(options.seed, Purpose::kForestThreshold, static_cast<std::uint64_t>(tree)),
      ties_(options.seed, Purpose::kForestTies, static_cast<std::uint64_t>(tree)) {}

Forest fit_forest(const ForestData& data, const ForestOptions& options, OutOfBagRequest* out_of_bag,
                  const StageReport& progress, const ForestShare* share) {
  check_fit(data, options);
  if (out_of_bag != nullptr) check(*out_of_bag, options);
  const std::vector<std::uint8_t> used = used_rows(data);
  const ForestData usable{data.table, data.target, data.weights, used};
  const std::unique_ptr<GrowthData> growth = make_growth(usable, options.search);
  Forest forest{options, data.table.names(),
                std::vector<ForestTree>(static_cast<std::size_t>(options.trees))};
  const std::vector<int> depths = out_of_bag != nullptr ? out_of_bag->depths : std::vector<int>();
  std::vector<std::int64_t> stops = out_of_bag != nullptr ? out_of_bag->trees : std::vector<std::int64_t>();
  const std::size_t wanted = stops.empty() ? 1 : stops.size();
  if (stops.empty() || stops.back() < options.trees) stops.push_back(options.trees);
  OutOfBagSums oob{growth->fixed, used.size(), std::vector<std::int64_t>(depths.size() * used.size()),
                   std::vector<std::int32_t>(depths.size() * used.size())};
  Growers growers(*growth, options, used.size());
  const std::int64_t begin = share != nullptr ? share->first : 0,
                     end = share != nullptr ? begin + share->trees : options.trees;
  Stage stage(progress, "growing trees", end - begin);
  std::int64_t first = begin;
  for (std::size_t stop = 0; stop < stops.size(); ++stop) {
    const std::int64_t last = std::clamp(stops[stop], first, end);
    parallel_for(last - first, [&](std::int64_t i) {
      const std::int64_t tree = first + i;
      Growers::Worker worker = growers.take();
      draw_rows(options, tree, used, worker.counts);
      ForestTree& grown = forest.trees[static_cast<std::size_t>(tree)];
      grown = worker.grower->grow(tree, worker.counts);
      if (!depths.empty() && stop < wanted)
        worker.grower->add_out_of_bag(grown, worker.counts, used, depths, oob.sums, oob.trees);
      growers.give_back(std::move(worker));
      stage.add();
    });
    first = last;
    if (stop >= wanted) continue;
    std::optional<OutOfBagSums> of_all;  // of the trees of all processes
    if (share != nullptr) {
      of_all.emplace(oob);
      share->add(of_all->sums, of_all->trees);
    }
    for (std::size_t d = 0; d < depths.size(); ++d)
      out_of_bag->results.push_back((of_all ? *of_all : oob).of_depth(d));
  }
  return forest;
}

ForestTree truncated(const ForestTree& tree, int depth) {
  if (depth == 0) return tree;
  // Depth first: children follow their parents in the order of the deep tree.
  ForestTree out;
  std::vector<std::pair<std::size_t, int>> from;  // of each node of `out`: its node in `tree`, its depth
  out.push_back(tree[0]);
  from.emplace_back(0, 0);
  std::vector<std::size_t> waiting{0};
  while (!waiting.empty()) {
    const std::size_t at = waiting.back();
    waiting.pop_back();
    const auto [source, level] = from[at];
    if (tree[source].leaf()) continue;
    if (level == depth) {
      ForestNode& cut = out[at];
      const ForestNode whole = cut;
      cut = {};
      cut.value = whole.value, cut.weight = whole.weight, cut.rows = whole.rows;
      continue;
    }
    const auto left = static_cast<std::size_t>(tree[source].left);
    out[at].left = static_cast<std::int32_t>(out.size());
    for (const std::size_t child : {left, left + 1}) {
      out.push_back(tree[child]);
      from.emplace_back(child, level + 1);
    }
    waiting.push_back(out.size() - 1);
    waiting.push_back(out.size() - 2);
  }
  return out;
}

double r_squared(std::span<const double> target, std::span<const double> prediction) {
  double mean = 0, n = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!std::isnan(prediction[i])) mean += target[i], ++n;
  }
  mean /= n;
  double residual = 0, total = 0, farthest = 0;
  bool constant = true;
  const double* first = nullptr;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (std::isnan(prediction[i])) continue;
    if (!first) first = &target[i];
    constant = constant && target[i] == *first;
    farthest = std::max(farthest, std::abs(target[i] - prediction[i]));
    residual += (target[i] - prediction[i]) * (target[i] - prediction[i]);
    total += (target[i] - mean) * (target[i] - mean);
  }
  constexpr double kRounding = 1e-9;  // of sums in fixed point
  if (constant && first && farthest <= kRounding * std::max(1.0, std::abs(mean))) return 1;
  return constant ? std::numeric_limits<double>::quiet_NaN() : 1 - residual / total;
}

std::string_view name_of(ForestOptions::Search search) {
  switch (search) {
    case ForestOptions::Search::kBinned8:
      return "binned8";
    case ForestOptions::Search::kBinned16:
      return "binned16";
    case ForestOptions::Search::kExact:
      return "exact";
  }
  return "?";
}

std::string_view name_of(ForestOptions::Bootstrap bootstrap) {
  switch (bootstrap) {
    case ForestOptions::Bootstrap::kMultinomial:
      return "multinomial";
    case ForestOptions::Bootstrap::kPoisson:
      return "poisson";
    case ForestOptions::Bootstrap::kNone:
      return "none";
  }
  return "?";
}

}  // namespace umbra

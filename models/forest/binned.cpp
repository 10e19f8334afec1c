// Growing on bins. The rows a tree drew are compacted into records (codes, target, weight) and every split
// moves the records themselves, so all passes are sequential. A node's histogram is one sum per column and
// bin; the larger child's is the parent's less the smaller child's.
//
// With 16-bit codes a node looks at each column through a window of up to 255 bins of 2^shift codes, which
// narrows as splits narrow the column's range; where it does, that column of the larger child is summed anew.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>

#include "engine/cpu/parallel.h"
#include "models/forest/binning.h"
#include "models/forest/grower.h"
#include "models/forest/walk.h"

namespace umbra {
namespace {

constexpr std::int64_t kBins = 256;  // of a histogram; the last is for missing values
constexpr std::int64_t kMissingBin = kBins - 1;
constexpr std::int64_t kSparseRows =
    512;  // with fewer rows most bins are empty: only occupied ones are visited

template <class Code, int kSlots>
struct Record {
  std::array<Code, kSlots> codes;
  std::int32_t target;
  std::uint32_t weight;
};

// How a node sees the codes of its columns: bin = (code - low) >> shift.
template <class Code>
struct Windows {
  std::array<Code, kMostFeatures> low{}, high{};  // codes that can occur
  std::array<std::uint8_t, kMostFeatures> shift{};

  // The smallest shift that fits 255 bins.
  void fit(std::size_t f) {
    shift[f] = 0;
    while ((high[f] - low[f]) >> shift[f] >= kMissingBin) ++shift[f];
  }
};

template <class Code, int kSlots>
class BinnedData final : public GrowthData {
 public:
  static constexpr Code kMissing = std::numeric_limits<Code>::max();

  explicit BinnedData(const ForestData& data)
      : features(data.table.features()),
        codes(static_cast<std::size_t>(data.table.rows())),
        bins(static_cast<std::size_t>(features)) {
    fixed = fixed_data(data);
    parallel_for(features, [&](std::int64_t f) {
      bins[static_cast<std::size_t>(f)] = make_bins(data.table.column(f), kMissing, data.mask);
    });
    for (std::int64_t f = 0; f < features; ++f) {
      encode(data.table.column(f), bins[static_cast<std::size_t>(f)], kMissing, codes[0].data() + f, kSlots);
    }
  }
  std::unique_ptr<TreeGrower> make_grower(const ForestOptions& options) const override;

  std::int64_t features;
  std::vector<std::array<Code, kSlots>> codes;  // [row]
  std::vector<ColumnBins> bins;                 // [feature]
};

template <class Code, int kSlots>
class BinnedGrower final : public TreeGrower {
 public:
  using Data = BinnedData<Code, kSlots>;
  using Row = Record<Code, kSlots>;
  using Histogram = std::unique_ptr<RowSums[]>;  // [feature][bin]

  BinnedGrower(const Data& data, const ForestOptions& options)
      : data_(data),
        options_(options),
        maker_{data.fixed.center, data.fixed.unit, data.fixed.weight_unit},
        sparse_(make_histogram()) {}

  ForestTree grow(std::int64_t tree, std::span<const std::uint8_t> counts) override {
    draw_.emplace(options_, data_.features, tree);
    tree_.clear();
    Node root;
    root.end = compact(counts, root.all);
    for (std::size_t f = 0; f < static_cast<std::size_t>(data_.features); ++f) {
      root.windows.high[f] = static_cast<Code>(std::max<std::int64_t>(1, data_.bins[f].count()) - 1);
      root.windows.fit(f);
    }
    tree_.push_back(maker_.leaf(root.all));
    if (options_.max_leaf_nodes > 0) {
      grow_best_first(std::move(root));
    } else if (may_split(root)) {
      if (root.end - root.begin > kSparseRows) root.histogram = summed(root);
      grow_depth_first(std::move(root));
    }
    return std::move(tree_);
  }

  void add_out_of_bag(const ForestTree& tree, std::span<const std::uint8_t> counts,
                      std::span<const std::uint8_t> mask, std::span<const int> depths,
                      std::span<std::int64_t> sums, std::span<std::int32_t> trees) override;

 private:
  struct Node {
    std::int32_t index = 0;
    int depth = 0;
    std::uint64_t path = 1;
    int side = 0;                     // of the two buffers
    std::int64_t begin = 0, end = 0;  // its records
    RowSums all;
    Windows<Code> windows;
    Histogram histogram;  // or none: few rows
  };

  // ---- memory ----
  Histogram make_histogram() const {
    return std::make_unique<RowSums[]>(static_cast<std::size_t>(data_.features * kBins));
  }
  Histogram take_histogram() {
    if (free_.empty())
      return std::make_unique_for_overwrite<RowSums[]>(static_cast<std::size_t>(data_.features * kBins));
    Histogram h = std::move(free_.back());
    free_.pop_back();
    return h;
  }
  void give_back(Histogram h) {
    if (h) free_.push_back(std::move(h));
  }

  std::int64_t compact(std::span<const std::uint8_t> counts, RowSums& all) {
    std::size_t drawn = 1;  // one behind the last is written, too
    for (const std::uint8_t count : counts) drawn += count != 0 ? 1 : 0;
    for (auto& buffer : rows_) {
      if (buffer.size() < drawn) buffer = std::vector<Row>(drawn);
    }
    Row* out = rows_[0].data();
    std::int64_t used = 0;
    const std::int32_t* target = data_.fixed.target.data();
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const std::uint32_t weight = counts[i] * data_.fixed.weight(static_cast<std::int64_t>(i));
      out[used] = {data_.codes[i], target[i], weight};
      all.sum += std::int64_t{target[i]} * weight;
      all.count += weight != 0 ? (std::uint64_t{1} << RowSums::kWeightBits) + weight : 0;
      used += weight != 0 ? 1 : 0;
    }
    return used;
  }

  // ---- histograms ----
  std::int64_t bin_of(const Windows<Code>& w, std::size_t f, Code code) const {
    if constexpr (sizeof(Code) == 1) return code;
    return code == Data::kMissing ? kMissingBin : (code - w.low[f]) >> w.shift[f];
  }

  static void add(RowSums& bin, const Row& row) {
    bin.sum += std::int64_t{row.target} * row.weight;
    bin.count += (std::uint64_t{1} << RowSums::kWeightBits) + row.weight;
  }

  Histogram summed(const Node& node) {
    Histogram h = take_histogram();
    std::memset(static_cast<void*>(h.get()), 0,
                static_cast<std::size_t>(data_.features * kBins) * sizeof(RowSums));
    sum_columns(node, 0, static_cast<std::size_t>(data_.features), h.get());
    return h;
  }
  void sum_columns(const Node& node, std::size_t first, std::size_t last, RowSums* h) const {
    const Row* rows = rows_[static_cast<std::size_t>(node.side)].data();
    if (first == 0 && last == kSlots) {  // the loop over columns unrolls
      for (std::int64_t i = node.begin; i < node.end; ++i) sum_row(rows[i], node.windows, 0, kSlots, h);
    } else {
      for (std::int64_t i = node.begin; i < node.end; ++i) sum_row(rows[i], node.windows, first, last, h);
    }
  }
  [[gnu::always_inline]] void sum_row(const Row& row, const Windows<Code>& w, std::size_t first,
                                      std::size_t last, RowSums* h) const {
    for (std::size_t f = first; f < last; ++f) {
      add(h[f * kBins + static_cast<std::size_t>(bin_of(w, f, row.codes[f]))], row);
    }
  }

  // ---- splits ----
  bool may_split(const Node& node) const {
    return node.all.rows() >= 2 * std::max<std::int64_t>(1, options_.min_samples_leaf) &&
           (options_.max_depth == 0 || node.depth < options_.max_depth);
  }

  // Looks at a column's occupied bins in ascending order; whether there are different values.
  template <class NextBin>
  bool try_bins(const Node& node, std::int64_t f, const RowSums* column, const NextBin& next_bin,
                Split& best) const {
    const RowSums missing = column[kMissingBin];
    const std::int64_t least = std::max<std::int64_t>(1, options_.min_samples_leaf);
    const auto feature = static_cast<std::int32_t>(f);
    const std::int64_t first = next_bin(0);
    if (first >= kMissingBin) return false;
    const double threshold = options_.extra_trees ? random_threshold(node, f, first, next_bin) : 0;
    RowSums left;
    for (std::int64_t at = first, next; at < kMissingBin; at = next) {
      left.add(column[at]);
      next = next_bin(at + 1);
      if (next >= kMissingBin) {  // all that have a value against those that have none
        if (missing.count != 0)
          consider(best, score_of(node.all, left, least), feature, at, next, left, false, true);
        return missing.count != 0 || at != first;
      }
      if (options_.extra_trees) {
        const bool last = next_bin(next + 1) >= kMissingBin;
        if (threshold < low_of(node, f, at) || (threshold >= low_of(node, f, next) && !last)) continue;
      }
      // Where nothing is missing here, what may be missing later goes with the majority.
      const bool majority = missing.count == 0 && left.rows() * 2 >= node.all.rows();
      consider(best, score_of(node.all, left, least), feature, at, next, left, majority);
      if (missing.count != 0) {
        RowSums with = left;
        with.add(missing);
        consider(best, score_of(node.all, with, least), feature, at, next, with, true);
      }
    }
    return true;
  }

  double low_of(const Node& node, std::int64_t f, std::int64_t bin) const {
    return columns(f).low[static_cast<std::size_t>(first_code(node, f, bin))];
  }
  double high_of(const Node& node, std::int64_t f, std::int64_t bin) const {
    return columns(f).high[static_cast<std::size_t>(last_code(node, f, bin))];
  }
  const ColumnBins& columns(std::int64_t f) const { return data_.bins[static_cast<std::size_t>(f)]; }
  std::int64_t first_code(const Node& node, std::int64_t f, std::int64_t bin) const {
    const auto i = static_cast<std::size_t>(f);
    return node.windows.low[i] + (bin << node.windows.shift[i]);
  }
  std::int64_t last_code(const Node& node, std::int64_t f, std::int64_t bin) const {
    const auto i = static_cast<std::size_t>(f);
    return std::min<std::int64_t>(first_code(node, f, bin + 1) - 1, node.windows.high[i]);
  }

  template <class NextBin>
  double random_threshold(const Node& node, std::int64_t f, std::int64_t first,
                          const NextBin& next_bin) const {
    std::int64_t last = first;
    for (std::int64_t b = first; b < kMissingBin; b = next_bin(b + 1)) last = b;
    const double low = low_of(node, f, first), high = high_of(node, f, last);
    const double share = draw_->threshold(node.path, f);
    return low * (1 - share) + high * share;
  }
  Split best_split(const Node& node) {
    Split best;
    if (node.histogram) {
      draw_->for_node(node.path, [&](std::int64_t f) {
        const RowSums* column = node.histogram.get() + f * kBins;
        const auto next_bin = [&](std::int64_t bin) {
          while (bin < kMissingBin && column[bin].count == 0) ++bin;
          return bin;
        };
        return try_bins(node, f, column, next_bin, best);
      });
      return best;
    }
    const Row* rows = rows_[static_cast<std::size_t>(node.side)].data();
    draw_->for_node(node.path, [&](std::int64_t f) {
      RowSums* column = sparse_.get() + f * kBins;
      std::array<std::uint64_t, kBins / 64> occupied{};
      for (std::int64_t i = node.begin; i < node.end; ++i) {
        const auto bin = static_cast<std::size_t>(
            bin_of(node.windows, static_cast<std::size_t>(f), rows[i].codes[static_cast<std::size_t>(f)]));
        add(column[bin], rows[i]);
        occupied[bin / 64] |= std::uint64_t{1} << bin % 64;
      }
      const auto next_bin = [&](std::int64_t bin) {
        auto word = static_cast<std::size_t>(bin) / 64;
        std::uint64_t bits = occupied[word] & ~std::uint64_t{0} << bin % 64;
        while (bits == 0 && ++word < occupied.size()) bits = occupied[word];
        return bits == 0 ? kMissingBin : static_cast<std::int64_t>(word) * 64 + std::countr_zero(bits);
      };
      const bool useful = try_bins(node, f, column, next_bin, best);
      for (std::size_t word = 0; word < occupied.size(); ++word) {
        for (std::uint64_t bits = occupied[word]; bits != 0; bits &= bits - 1)
          column[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))] = {};
      }
      return useful;
    });
    return best;
  }

  // Writes the split into the node: threshold and code say the same of every value that was seen.
  void write_split(const Node& node, const Split& split) {
    ForestNode& out = tree_[static_cast<std::size_t>(node.index)];
    out.feature = static_cast<std::uint16_t>(split.feature);
    out.gain = maker_.gain(split, node.all);
    out.missing_left = split.missing_left;
    out.left = static_cast<std::int32_t>(tree_.size());
    const ColumnBins& bins = columns(split.feature);
    if (split.only_missing_right) {
      out.threshold = std::numeric_limits<double>::infinity();
      out.code = static_cast<std::uint16_t>(bins.count() - 1);
    } else {
      // Bins between the two are empty in this node: halfway between the values that are not, if a gap
      // between bins is there.
      std::int64_t code = last_code(node, split.feature, split.at);
      const std::int64_t next = first_code(node, split.feature, split.next);
      const auto at = [](std::int64_t c) { return static_cast<std::size_t>(c); };
      out.threshold = threshold_between(bins.high[at(code)], bins.low[at(next)]);
      while (code + 1 < next && bins.high[at(code + 1)] <= out.threshold) ++code;
      if (code + 1 < next && bins.low[at(code + 1)] <= out.threshold) out.threshold = bins.edge(code);
      out.code = static_cast<std::uint16_t>(code);
    }
    tree_.push_back(maker_.leaf(split.left));
    tree_.push_back(maker_.leaf(node.all - split.left));
  }

  // Moves the node's records to the other buffer, left ones first, in order.
  void partition(const Node& node, const ForestNode& split, std::int64_t left_rows) {
    const Row* in = rows_[static_cast<std::size_t>(node.side)].data();
    Row* out = rows_[static_cast<std::size_t>(1 - node.side)].data();
    const std::size_t f = split.feature;
    const auto code = static_cast<Code>(split.code);
    const Code exception = split.missing_left ? Data::kMissing : Code{0};  // 0 is never greater than code
    // Without a branch: which side is a coin toss to the machine, and half the time of growing went into
    // guessing.
    std::int64_t left = node.begin;
    for (std::int64_t i = node.begin; i < node.end; ++i) {
      const Code seen = in[i].codes[f];
      const std::int64_t goes_right = static_cast<int>(seen > code) & static_cast<int>(seen != exception);
      const std::int64_t right = left_rows + node.begin + (i - left);
      out[left + ((right - left) & -goes_right)] = in[i];
      left += 1 - goes_right;
    }
  }

  std::array<Node, 2> children(const Node& node, const Split& split) {
    const ForestNode& out = tree_[static_cast<std::size_t>(node.index)];
    std::array<Node, 2> pair;
    for (int right = 0; right < 2; ++right) {
      Node& child = pair[static_cast<std::size_t>(right)];
      child.index = out.left + right;
      child.depth = node.depth + 1;
      child.path = 2 * node.path + static_cast<std::uint64_t>(right);
      child.side = 1 - node.side;
      child.begin = node.begin + (right != 0 ? split.left.rows() : 0);
      child.end = right != 0 ? node.end : node.begin + split.left.rows();
      child.all = right != 0 ? node.all - split.left : split.left;
      child.windows = node.windows;
      if constexpr (sizeof(Code) > 1) {
        const std::size_t f = out.feature;
        if (right == 0) child.windows.high[f] = static_cast<Code>(out.code);
        if (right != 0 && out.code < child.windows.high[f])
          child.windows.low[f] = static_cast<Code>(out.code + 1);
      }
    }
    return pair;
  }

  // The histograms of two children that came of `parent`; only those that may be split need one.
  void sum_children(Node& parent, std::array<Node, 2>& pair, std::size_t split_feature) {
    const std::size_t small = pair[0].all.rows() <= pair[1].all.rows() ? 0 : 1, large = 1 - small;
    const bool wanted = pair[large].end - pair[large].begin > kSparseRows && may_split(pair[large]);
    if constexpr (sizeof(Code) > 1) {
      // A column's window narrows in both children as soon as it may, so that subtraction fits all others.
      for (Node& child : pair) child.windows.fit(split_feature);
    }
    if (!wanted) return give_back(std::move(parent.histogram));  // and then the smaller one needs none either
    pair[large].histogram = std::move(parent.histogram);
    RowSums* larger = pair[large].histogram.get();
    Node viewed;  // the smaller child's records through the parent's windows
    viewed.side = pair[small].side;
    viewed.begin = pair[small].begin;
    viewed.end = pair[small].end;
    viewed.windows = parent.windows;
    Histogram h = summed(viewed);
    for (std::int64_t i = 0; i < data_.features * kBins; ++i)
      larger[i].subtract(h[static_cast<std::size_t>(i)]);
    if constexpr (sizeof(Code) > 1) {
      const auto anew = [&](const Node& child, RowSums* histogram) {
        if (child.windows.low == parent.windows.low && child.windows.shift == parent.windows.shift) return;
        std::fill_n(histogram + split_feature * kBins, kBins, RowSums{});
        sum_columns(child, split_feature, split_feature + 1, histogram);
      };
      anew(pair[large], larger);
      anew(pair[small], h.get());
    }
    if (pair[small].end - pair[small].begin > kSparseRows && may_split(pair[small])) {
      pair[small].histogram = std::move(h);
    } else {
      give_back(std::move(h));
    }
  }

  // Left children first. Nodes wait on a stack of their own: a tree may be as deep as it has rows.
  void grow_depth_first(Node root) {
    std::vector<Node> waiting;
    waiting.push_back(std::move(root));
    while (!waiting.empty()) {
      Node node = std::move(waiting.back());
      waiting.pop_back();
      const Split split = best_split(node);
      if (split.feature < 0) {
        give_back(std::move(node.histogram));
        continue;
      }
      write_split(node, split);
      std::array<Node, 2> pair = children(node, split);
      if (!may_split(pair[0]) && !may_split(pair[1])) {
        give_back(std::move(node.histogram));
        continue;
      }
      const ForestNode written = tree_[static_cast<std::size_t>(node.index)];
      partition(node, written, split.left.rows());
      sum_children(node, pair, written.feature);
      for (std::size_t child : {1, 0}) {
        if (may_split(pair[child])) waiting.push_back(std::move(pair[child]));
      }
    }
  }

  // The node whose split gains most is next, until there are enough leaves.
  void grow_best_first(Node root) {
    struct Candidate {
      Node node;
      Split split;
      double gain;
    };
    std::vector<Candidate> waiting;
    const auto worse = [](const Candidate& a, const Candidate& b) {
      return a.gain < b.gain || (a.gain == b.gain && a.node.index > b.node.index);
    };
    const auto offer = [&](Node node) {
      if (!may_split(node)) return;
      if (node.end - node.begin > kSparseRows) node.histogram = summed(node);
      Split split = best_split(node);
      give_back(std::move(node.histogram));
      if (split.feature < 0) return;
      const double gain = split.score / node.all.weight();
      waiting.push_back({std::move(node), split, gain});
      std::push_heap(waiting.begin(), waiting.end(), worse);
    };
    offer(std::move(root));
    for (std::int64_t leaves = 1; leaves < options_.max_leaf_nodes && !waiting.empty(); ++leaves) {
      std::pop_heap(waiting.begin(), waiting.end(), worse);
      Candidate best = std::move(waiting.back());
      waiting.pop_back();
      write_split(best.node, best.split);
      std::array<Node, 2> pair = children(best.node, best.split);
      const ForestNode written = tree_[static_cast<std::size_t>(best.node.index)];
      partition(best.node, written, best.split.left.rows());
      for (Node& child : pair) {
        if constexpr (sizeof(Code) > 1) child.windows.fit(written.feature);
        offer(std::move(child));
      }
    }
  }

  const Data& data_;
  ForestOptions options_;
  NodeMaker maker_;
  std::optional<FeatureDraw> draw_;
  ForestTree tree_;
  std::array<std::vector<Row>, 2> rows_;
  Histogram sparse_;  // all zero between nodes
  std::vector<Histogram> free_;
};

template <class Code, int kSlots>
void BinnedGrower<Code, kSlots>::add_out_of_bag(const ForestTree& tree, std::span<const std::uint8_t> counts,
                                                std::span<const std::uint8_t> mask,
                                                std::span<const int> depths, std::span<std::int64_t> sums,
                                                std::span<std::int32_t> trees) {
  using Walk = WalkTree<Code>;
  const Walk walk(tree, [](const ForestNode& node) { return static_cast<Code>(node.code); });
  std::vector<std::int64_t> values(tree.size());
  for (std::size_t i = 0; i < tree.size(); ++i) values[i] = oob_fixed(data_.fixed, tree[i].value);
  const std::size_t rows = counts.size();
  std::array<const Code*, Walk::kTogether> codes;
  std::array<std::size_t, Walk::kTogether> row;
  std::size_t waiting = 0;
  const auto run = [&] {
    for (std::size_t r = waiting; r < row.size(); ++r) codes[r] = codes[0];
    std::array<std::uint32_t, Walk::kTogether> at{};
    int level = 0;
    for (std::size_t d = 0; d < depths.size(); ++d) {
      const int depth = depths[d] == 0 ? walk.depth : std::min(depths[d], walk.depth);
      walk.walk(depth - level, codes.data(), at.data());
      level = depth;
      for (std::size_t r = 0; r < waiting;
           ++r) {  // integers: the order in which threads come does not matter
        std::atomic_ref(sums[d * rows + row[r]]).fetch_add(values[at[r]], std::memory_order_relaxed);
        std::atomic_ref(trees[d * rows + row[r]]).fetch_add(1, std::memory_order_relaxed);
      }
    }
    waiting = 0;
  };
  for (std::size_t i = 0; i < rows; ++i) {
    if (counts[i] != 0 || (!mask.empty() && mask[i] == 0)) continue;
    row[waiting] = i;
    codes[waiting] = data_.codes[i].data();
    if (++waiting == row.size()) run();
  }
  if (waiting > 0) run();
}

template <class Code, int kSlots>
std::unique_ptr<TreeGrower> BinnedData<Code, kSlots>::make_grower(const ForestOptions& options) const {
  return std::make_unique<BinnedGrower<Code, kSlots>>(*this, options);
}

}  // namespace

std::unique_ptr<GrowthData> binned_growth(const ForestData& data, ForestOptions::Search search) {
  const bool wide = search == ForestOptions::Search::kBinned16, few = data.table.features() <= 8;
  if (wide && few) return std::make_unique<BinnedData<std::uint16_t, 8>>(data);
  if (wide) return std::make_unique<BinnedData<std::uint16_t, kMostFeatures>>(data);
  if (few) return std::make_unique<BinnedData<std::uint8_t, 8>>(data);
  return std::make_unique<BinnedData<std::uint8_t, kMostFeatures>>(data);
}

}  // namespace umbra

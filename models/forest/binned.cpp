// Growing on bins: best-first growth, out-of-bag rows, and the available widths of codes and records.
#include <algorithm>
#include <array>
#include <atomic>

#include "models/forest/binned_grower.h"
#include "models/forest/walk.h"

namespace umbra {

template <class Code, int kSlots>
void BinnedGrower<Code, kSlots>::grow_best_first(Node root) {
  struct Candidate {
    Node node;
    NodeSplit split;
    double gain;
  };
  std::vector<Candidate> waiting;
  const auto worse = [](const Candidate& a, const Candidate& b) {
    return a.gain < b.gain || (a.gain == b.gain && a.node.index > b.node.index);
  };
  const auto offer = [&](Node node) {
    if (!may_split(node)) return;
    if (!is_sparse(node)) node.histogram = records_.summed(node);
    NodeSplit split = splits_.best(node, least_[0], *draw_);
    records_.give_back(std::move(node.histogram));
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
    const ForestNode written = tree_.node(best.node.index);
    records_.partition(best.node, written, best.split.left.rows());
    for (Node& child : pair) {
      if constexpr (sizeof(Code) > 1) child.windows.fit(written.feature);
      offer(std::move(child));
    }
  }
}

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
      for (std::size_t r = 0; r < waiting; ++r) {  // integers: the order of the threads does not matter
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

std::unique_ptr<GrowthData> binned_growth(const ForestData& data, ForestOptions::Search search) {
  const bool wide = search == ForestOptions::Search::kBinned16, few = data.table.features() <= 8;
  if (wide && few) return std::make_unique<BinnedData<std::uint16_t, 8>>(data);
  if (wide) return std::make_unique<BinnedData<std::uint16_t, kMostFeatures>>(data);
  if (few) return std::make_unique<BinnedData<std::uint8_t, 8>>(data);
  return std::make_unique<BinnedData<std::uint8_t, kMostFeatures>>(data);
}

}  // namespace umbra

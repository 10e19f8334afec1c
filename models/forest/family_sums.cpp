#include "models/forest/family_sums.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

bool deeper(int a, int b) {
  return a != 0 && (b == 0 || a < b);
}

bool same_way(const ForestNode& a, const ForestNode& b) {
  return a.feature == b.feature && a.threshold == b.threshold && a.missing_left == b.missing_left;
}

// The prediction for the rows of each node when the tree is cut at each depth: [node][depth].
template <class Value>
std::vector<Value> values_at_depths(const ForestTree& tree, std::span<const int> depths,
                                    const std::function<Value(double)>& value_of) {
  const std::size_t width = depths.size();
  std::vector<int> level(tree.size(), 0);
  std::vector<Value> values(tree.size() * width, value_of(tree[0].value));
  for (std::size_t i = 0; i < tree.size(); ++i) {  // children come after their parents
    if (tree[i].leaf()) continue;
    const auto left = static_cast<std::size_t>(tree[i].left);
    for (const std::size_t child : {left, left + 1}) {
      level[child] = level[i] + 1;
      const Value own = value_of(tree[child].value);
      for (std::size_t d = 0; d < width; ++d)
        values[child * width + d] = deeper(depths[d], level[child]) ? values[i * width + d] : own;
    }
  }
  return values;
}

}  // namespace

FamilyForks::FamilyForks(const Family& family)
    : at(family[0].size() * family.size()), forked(family[0].size(), 0) {
  struct Pair {
    std::uint32_t first, other;
    bool apart;
  };
  std::vector<Pair> waiting;
  for (std::size_t k = 0; k < family.size(); ++k) {
    waiting.push_back({0, 0, false});
    while (!waiting.empty()) {
      const Pair pair = waiting.back();
      waiting.pop_back();
      const ForestNode &first = family[0][pair.first], &other = family[k][pair.other];
      if (first.leaf()) {
        at[pair.first * family.size() + k] = pair.other;
        if (!other.leaf()) forked[pair.first] = 1;
        continue;
      }
      const bool apart = pair.apart || other.leaf() || !same_way(first, other);
      for (const std::uint32_t side : {0U, 1U}) {
        const std::uint32_t next = apart ? pair.other : static_cast<std::uint32_t>(other.left) + side;
        waiting.push_back({static_cast<std::uint32_t>(first.left) + side, next, apart});
      }
    }
  }
}

template <class Value>
FamilySums<Value>::FamilySums(const ForestTable& table, std::span<const int> depths, std::size_t leaf_sizes)
    : table_(table),
      depths_(depths.begin(), depths.end()),
      leaf_sizes_(leaf_sizes),
      rows_(static_cast<std::size_t>(table.rows())),
      width_(leaf_sizes * depths.size()),
      sums_(rows_ * width_, 0),
      trees_(rows_, 0) {}

template <class Value>
typename FamilySums<Value>::Leaves FamilySums<Value>::leaves_of(
    const Family& family, const std::function<Value(double)>& value_of) const {
  Leaves leaves(family);
  const std::size_t depths = depths_.size(), nodes = family[0].size();
  leaves.add.assign(nodes * width_, 0);
  for (std::size_t k = 0; k < leaf_sizes_; ++k) {
    std::vector<Value> values = values_at_depths(family[k], std::span<const int>(depths_), value_of);
    for (std::size_t i = 0; i < nodes; ++i) {
      if (!family[0][i].leaf() || leaves.forks.forked[i] != 0) continue;
      const std::size_t at = leaves.forks.at[i * leaf_sizes_ + k];
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(at * depths), depths,
                  leaves.add.begin() + static_cast<std::ptrdiff_t>(i * width_ + k * depths));
    }
    leaves.at_fork.push_back(std::move(values));
  }
  const auto& forked = leaves.forks.forked;
  leaves.any_fork = std::any_of(forked.begin(), forked.end(), [](std::uint8_t f) { return f != 0; });
  if (!leaves.any_fork) leaves.at_fork.clear();
  return leaves;
}

template <class Value>
void FamilySums<Value>::add(std::span<const Family> families, const std::function<Value(double)>& value_of,
                            std::span<const std::vector<std::uint64_t>> unseen) {
  families_ = families;
  unseen_ = unseen;
  std::vector<std::optional<Leaves>> made(families.size());
  parallel_for(static_cast<std::int64_t>(families.size()), [&](std::int64_t i) {
    made[static_cast<std::size_t>(i)] = leaves_of(families[static_cast<std::size_t>(i)], value_of);
  });
  leaves_.clear();
  for (auto& leaves : made) leaves_.push_back(*std::move(leaves));
  Forest forest;
  forest.features = table_.names();
  for (const Family& family : families) forest.trees.push_back(family[0]);
  ForestPredictor(forest).visit(table_, *this);
  leaves_.clear();
}

template <class Value>
void FamilySums<Value>::add_row(const Leaves& leaves, std::uint32_t node, std::size_t row) {
  const Value* from = leaves.add.data() + node * width_;
  Value* to = sums_.data() + row * width_;
  if (width_ == 6) {  // three leaf sizes at two depths: the loop unrolls
    for (std::size_t w = 0; w < 6; ++w) to[w] += from[w];
  } else {
    for (std::size_t w = 0; w < width_; ++w) to[w] += from[w];
  }
}

template <class Value>
void FamilySums<Value>::visit(std::int64_t first_row, std::int64_t tree, std::span<const std::uint32_t> at) {
  const Leaves& leaves = leaves_[static_cast<std::size_t>(tree)];
  const auto first = static_cast<std::size_t>(first_row);
  std::vector<std::uint32_t> rows(at.size());  // the rows to add, then those at forks
  std::size_t count = 0;
  for (std::size_t r = 0; r < at.size(); ++r) {
    const std::size_t row = first + r;
    rows[count] = static_cast<std::uint32_t>(r);
    count += unseen_.empty() ? 1 : unseen_[static_cast<std::size_t>(tree)][row / 64] >> row % 64 & 1;
  }
  for (std::size_t i = 0; i < count; ++i) add_row(leaves, at[rows[i]], first + rows[i]);
  if (!unseen_.empty()) {
    for (std::size_t i = 0; i < count; ++i) ++trees_[first + rows[i]];
  }
  if (!leaves.any_fork) return;
  std::size_t at_forks = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t r = rows[i];
    rows[at_forks] = r;
    at_forks += leaves.forks.forked[at[r]];
  }
  for (std::size_t i = 0; i < at_forks; ++i) walk_on(tree, at[rows[i]], first + rows[i]);
}

template <class Value>
void FamilySums<Value>::walk_on(std::int64_t tree, std::uint32_t node, std::size_t row) {
  const auto t = static_cast<std::size_t>(tree);
  const std::size_t depths = depths_.size();
  for (std::size_t k = 0; k < leaf_sizes_; ++k) {
    const ForestTree& nodes = families_[t][k];
    std::size_t at = leaves_[t].forks.at[node * leaf_sizes_ + k];
    while (!nodes[at].leaf()) {
      const double x = table_.value(nodes[at].feature, static_cast<std::int64_t>(row));
      const bool right = std::isnan(x) ? !nodes[at].missing_left : x > nodes[at].threshold;
      at = static_cast<std::size_t>(nodes[at].left) + (right ? 1 : 0);
    }
    for (std::size_t d = 0; d < depths; ++d)
      sums_[row * width_ + k * depths + d] += leaves_[t].at_fork[k][at * depths + d];
  }
}

template class FamilySums<double>;
template class FamilySums<std::int64_t>;

}  // namespace umbra

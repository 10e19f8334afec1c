// The order of positions of a product on tensor cores (tensor_product.h).
#include "engine/cuda/tile/remembered.h"
#include "engine/cuda/tile/taps_of_positions.h"

namespace umbra {
namespace {

// Positions that follow one another, and the taps that touch data for any of them.
struct Run {
  TapsOfPositions::Set taps;
  std::vector<int> positions;
};

// Joins runs two by two: first those with the same taps, then each with the one with which it has the fewest
// unshared ones. A run without a partner is the last.
std::vector<Run> joined(std::vector<Run> runs) {
  std::stable_sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.taps < b.taps; });
  std::vector<Run> made, left;
  const auto join = [&](Run a, const Run& b) {
    a.taps = TapsOfPositions::together(a.taps, b.taps);
    a.positions.insert(a.positions.end(), b.positions.begin(), b.positions.end());
    made.push_back(std::move(a));
  };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (i + 1 < runs.size() && runs[i].taps == runs[i + 1].taps) {
      join(runs[i], runs[i + 1]);
      ++i;
    } else {
      left.push_back(runs[i]);
    }
  }
  while (left.size() > 1) {
    const Run first = left.front();
    left.erase(left.begin());
    const auto unshared = [&](const Run& other) {
      using Taps = TapsOfPositions;
      return 2 * Taps::size(Taps::together(first.taps, other.taps)) - Taps::size(other.taps);
    };
    const auto best = std::min_element(left.begin(), left.end(),
                                       [&](const Run& a, const Run& b) { return unshared(a) < unshared(b); });
    join(first, *best);
    left.erase(best);
  }
  made.insert(made.end(), left.begin(), left.end());
  return made;
}

// What an order depends on.
struct OrderedBy {
  WindowMap map;
  bool adjoint;
  auto operator<=>(const OrderedBy&) const = default;
};

PositionOrder find_order(const TensorWalk& walk) {
  PositionOrder order{false, {}};
  const TapsOfPositions taps(walk);
  std::vector<Run> runs;
  for (int p = 0; p < walk.positions; ++p) runs.push_back({taps.at(p), {p}});
  constexpr int kJoins = 3;  // runs of two, four and eight
  for (int i = 0; i < kJoins; ++i) runs = joined(std::move(runs));
  int rank = 0;
  for (const Run& run : runs)
    for (const int position : run.positions) order.position[rank++] = static_cast<unsigned short>(position);
  return order;
}

}  // namespace

PositionOrder paired_order(const TensorWalk& walk) {
  if (!listable(walk) || walk.blocks % 2 == 0 || walk.positions < 3) return {true, {}};
  static Remembered<OrderedBy, PositionOrder> orders;
  return orders.of({walk.map, walk.adjoint}, [&] { return find_order(walk); });
}

}  // namespace umbra

// Which taps of a walk's window touch data for a position (tensor_product.h). For planning, on the host.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "engine/cuda/tile/tensor_product.h"

namespace umbra {

/// For each position, the set of live taps that touch data there. Only for walks that are listable().
class TapsOfPositions {
 public:
  using Set = std::array<std::uint64_t, kMostTensorTaps / 64>;

  explicit TapsOfPositions(const TensorWalk& walk) {
    const auto taps_at = [&](const WindowAxis& axis, int position) {
      return walk.adjoint ? axis.taps_of_inputs({position, position})
                          : axis.taps_of_outputs({position, position});
    };
    for (int p = 0; p < walk.positions; ++p) {
      const Place at = walk.adjoint ? walk.map.input_place(p) : walk.map.output_place(p);
      const TapBox here{taps_at(walk.map.d, at.d), taps_at(walk.map.h, at.h), taps_at(walk.map.w, at.w)};
      Set set{};
      if (here.count() > 0) {
        for (Place tap = here.at(0); tap.d < kMostAxisTaps; tap = here.after(tap)) {
          const auto t = static_cast<std::size_t>(walk.map.slot_of(tap));
          set[t / 64] |= std::uint64_t{1} << (t % 64);
        }
      }
      sets_.push_back(set);
    }
  }
  /// Bit t: live tap t touches data.
  const Set& at(int position) const { return sets_[static_cast<std::size_t>(position)]; }
  static bool has(const Set& set, int tap) {
    return (set[static_cast<std::size_t>(tap) / 64] >> (tap % 64) & 1u) != 0;
  }
  static Set together(Set a, const Set& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] |= b[i];
    return a;
  }
  static int size(const Set& set) {
    int count = 0;
    for (const std::uint64_t word : set) count += std::popcount(word);
    return count;
  }

 private:
  std::vector<Set> sets_;
};

/// Whether the walk's slices are those of a list of few taps for few positions.
inline bool listable(const TensorWalk& walk) {
  return !walk.pairs && walk.positions <= PositionOrder::kMost && walk.map.live().count() <= kMostTensorTaps;
}

}  // namespace umbra

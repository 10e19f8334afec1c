// How fprop and dgrad divide their work; this depends on the problem alone, never on the number of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace umbra {

struct WorkSplit {
  std::int64_t chunks = 1;  // of places
  std::int64_t groups = 1;  // of channel tiles; chunks * groups tasks
};

/// Each chunk of places reads all weights, each group of channels all activations: the cheapest pair that
/// gives about `wanted` tasks, or as many as there are.
inline WorkSplit cheapest_split(double weights, double activations, std::int64_t places, std::int64_t tiles,
                                std::int64_t wanted) {
  WorkSplit split;
  const std::int64_t needed = std::min(wanted, places * tiles);
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t groups = 1; groups <= std::min(tiles, wanted); ++groups) {
    const std::int64_t chunks = std::min(places, (wanted + groups - 1) / groups);
    const double cost = weights * static_cast<double>(chunks) + activations * static_cast<double>(groups);
    if (chunks * groups < needed || cost >= least) continue;
    least = cost;
    split = {chunks, groups};
  }
  return split;
}

}  // namespace umbra

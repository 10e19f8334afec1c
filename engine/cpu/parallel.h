// OpenMP loops whose chunks do not depend on the number of threads: results are bit-identical on 1 thread and
// on 72.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace umbra {

/// Calls body(begin, end) over [0, count) in chunks of exactly `grain` (the last may be shorter). A chunk
/// always holds the same indices, whichever thread runs it; chunks must write disjoint memory. A chunk must
/// not throw.
template <class Body>
void parallel_chunks(std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t chunks = (count + grain - 1) / grain;
  if (chunks <= 1 || omp_in_parallel()) {
    for (std::int64_t c = 0; c < chunks; ++c) body(c * grain, std::min(count, (c + 1) * grain));
    return;
  }
#pragma omp parallel for schedule(dynamic, 1)
  for (std::int64_t c = 0; c < chunks; ++c) body(c * grain, std::min(count, (c + 1) * grain));
}

/// Calls body(i) for every i in [0, count), one index per chunk.
template <class Body>
void parallel_for(std::int64_t count, const Body& body) {
  parallel_chunks(count, 1, [&](std::int64_t begin, std::int64_t) { body(begin); });
}

}  // namespace umbra

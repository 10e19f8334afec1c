// How CPU rungs walk an op's parts: all of them in one parallel loop.
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/base/precision.h"
#include "engine/ops/chunks.h"
#include "engine/ops/parts.h"

namespace umbra {

/// Calls body(part, begin, end) for pieces of all parts, side by side. The parts are laid end to end and cut
/// into chunks of one grain, so that small parts share a chunk; each starts at a multiple of 64 elements of
/// that row, so that pieces start where the alignment of their part allows whole cache lines.
template <class Body>
void parallel_parts(const Parts& parts, const Body& body) {
  const auto in_row = [](const Part& part) { return (part.count + 63) / 64 * 64; };
  std::int64_t total = 0;
  for (const Part& part : parts) total += in_row(part);
  parallel_chunks(total, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t start = 0;
    for (std::size_t k = 0; k < parts.size() && start < end; start += in_row(parts[k++])) {
      const std::int64_t from = std::max<std::int64_t>(begin - start, 0),
                         to = std::min(end - start, parts[k].count);
      if (from < to) body(k, from, to);
    }
  });
}

/// The image of `count` numbers that an optimiser has just written: they are still in the first-level cache.
inline void write_image(const float* p, std::int64_t count, Bf16* image) {
  for (std::int64_t i = 0; i < count; ++i) image[i] = Bf16(p[i]);
}

}  // namespace umbra

// How CPU rungs process an op's tensors: all of them in one parallel loop.
#pragma once

#include <algorithm>
#include <cstddef>

#include "engine/base/precision.h"
#include "engine/ops/optim/tensor_list.h"
#include "engine/ops/shared/chunks.h"

namespace umbra {

/// Calls body(tensor, begin, end) for pieces of all tensors, in parallel. The tensors are laid end to end
/// and divided into chunks of one grain, so that small tensors share a chunk. Each tensor starts at a
/// multiple of 64 elements of that row, so that pieces start at whole cache lines if their tensor is
/// aligned.
template <class Body>
void parallel_tensors(const TensorList& tensors, const Body& body) {
  const auto in_row = [](const TensorSpec& tensor) { return (tensor.count + 63) / 64 * 64; };
  std::int64_t total = 0;
  for (const TensorSpec& tensor : tensors) total += in_row(tensor);
  parallel_chunks(total, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t start = 0;
    for (std::size_t k = 0; k < tensors.size() && start < end; start += in_row(tensors[k++])) {
      const std::int64_t from = std::max<std::int64_t>(begin - start, 0),
                         to = std::min(end - start, tensors[k].count);
      if (from < to) body(k, from, to);
    }
  });
}

/// Writes the bf16 copy of `count` numbers that an optimiser has just written, which are still in the
/// first-level cache.
inline void write_bf16_copy(const float* p, std::int64_t count, Bf16* bf16_copy) {
  for (std::int64_t i = 0; i < count; ++i) bf16_copy[i] = Bf16(p[i]);
}

}  // namespace umbra

// How cpu_1_simd divides the rows of a softmax: into strips of neighbouring rows, whose sums stay in the
// first-level cache during the loop over the rows' numbers.
#pragma once

#include <algorithm>

#include "engine/ops/shared/chunks.h"
#include "engine/ops/softmax/op.h"

namespace umbra {

inline constexpr std::int64_t kSoftmaxStrip = 64;  // rows

/// Calls body(offset of the first number of its first row, number of rows) for every strip.
template <class Body>
void for_strips(const SoftmaxOp& op, const Body& body) {
  if (op.count() == 0) return;
  const std::int64_t strips = (op.inner + kSoftmaxStrip - 1) / kSoftmaxStrip;  // of one outer index
  const std::int64_t numbers = op.extent * std::min(op.inner, kSoftmaxStrip);  // of a strip
  parallel_chunks(op.outer * strips, rows_per_chunk(numbers), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t s = begin; s < end; ++s) {
      const std::int64_t j = s % strips * kSoftmaxStrip;
      body(op.first(s / strips * op.inner + j), std::min(kSoftmaxStrip, op.inner - j));
    }
  });
}

}  // namespace umbra

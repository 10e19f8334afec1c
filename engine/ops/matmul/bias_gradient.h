// The gradient of the biases of a fully connected layer on the CPU: not a product, but the sum of the
// unrounded dy.
#pragma once

#include <algorithm>

#include "engine/cpu/parallel.h"
#include "engine/ops/matmul/op.h"

namespace umbra {

inline constexpr std::int64_t kBiasChunk = 1 << 14;  // elements that a task handles

/// db [out] = sum over the rows of dy [rows, out], in their order.
inline void linear_bias_gradient(const LinearWgrad& op, const float* dy, float* db) {
  parallel_chunks(op.out, std::max<std::int64_t>(16, kBiasChunk / op.rows),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t m = begin; m < end; ++m) db[m] = 0.0f;
                    for (std::int64_t n = 0; n < op.rows; ++n) {
                      for (std::int64_t m = begin; m < end; ++m) db[m] += dy[n * op.out + m];
                    }
                  });
}

}  // namespace umbra

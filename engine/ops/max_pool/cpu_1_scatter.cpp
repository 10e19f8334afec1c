// Max pooling backward: each channel is cleared and its outputs' gradients added where their winners stand,
// in the order of the outputs.
#include <algorithm>

#include "engine/ops/chunks.h"
#include "engine/ops/kernel.h"
#include "engine/ops/max_pool/op.h"

namespace umbra {

void max_pool_backward_scatter(const MaxPoolBackward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const float* dy = static_cast<const float*>(buffers[0]);                    // [N, C, oD, oH, oW]
  const std::int32_t* argmax = static_cast<const std::int32_t*>(buffers[1]);  // [N, C, oD, oH, oW]
  float* dx = static_cast<float*>(buffers[2]);                                // [N, C, D, H, W]
  const std::int64_t inputs = g.in_volume(), outputs = g.out_volume();
  parallel_chunks(g.batch * g.channels, rows_per_chunk(inputs), [&](std::int64_t begin, std::int64_t end) {
    std::fill(dx + begin * inputs, dx + end * inputs, 0.0f);
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t o = row * outputs; o < (row + 1) * outputs; ++o) {
        dx[row * inputs + argmax[o]] += dy[o];
      }
    }
  });
}

}  // namespace umbra

// One thread per element, each with ten rounds of Philox for one of their four words.
#include "engine/cuda/indexing.h"
#include "engine/ops/dropout/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

// x [count], step [1], y [count]
__global__ void dropout_each(const float* x, const std::int64_t* step, float* y, std::int64_t count, double p,
                             std::uint64_t seed, std::uint64_t layer) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const Philox4 words = dropout_rng(seed, *step, layer).words(static_cast<std::uint64_t>(i / 4));
  const bool kept = uniform_from(words[static_cast<std::size_t>(i % 4)]) >= p;
  y[i] = kept ? x[i] / static_cast<float>(1 - p) : 0;
}

}  // namespace

void dropout_cuda_1_naive(const Dropout& op, Buffers buffers, void*, Stream& stream) {
  launch(dropout_each, one_thread_each(op.count), stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<const std::int64_t*>(buffers[1]), static_cast<float*>(buffers[2]), op.count, op.p,
         op.seed, op.layer);
}

}  // namespace umbra

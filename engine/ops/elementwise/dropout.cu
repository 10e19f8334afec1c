// The CUDA rungs of dropout.
//
//   cuda_1_naive     one thread per element; each computes ten rounds of Philox and uses one of the four
//                    words
//   cuda_2_vectors   four elements per thread: the four words of one Philox counter, 16-byte loads and
//                    stores. As in cpu_1_simd the mask is an integer comparison: uniform_from(word) >= p is
//                    word >> 8 >= p 2^24, both sides exact.
#include <cmath>

#include "engine/cuda/tile/indexing.h"
#include "engine/ops/elementwise/dropout.h"

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

void naive(const Dropout& op, Buffers buffers, void*, Stream& stream) {
  launch(dropout_each, one_thread_each(op.count), stream.native(), buffers.in(0), buffers.in<std::int64_t>(1),
         buffers.out(2), op.count, op.p, op.seed, op.layer);
}

struct DropoutNumbers {
  std::uint64_t seed, layer;
  std::uint32_t threshold;  // the least word >> 8 that keeps its element
  float keep;               // the probability of keeping
};

__device__ inline float kept_value(float x, std::uint32_t word, const DropoutNumbers& n) {
  return word >> 8 >= n.threshold ? x / n.keep : 0.0f;
}

// x [count], step [1], y [count]; `fours`: the number of groups of four elements read and written at once
__global__ void __launch_bounds__(kElementThreads)
    dropout_fours(const float* x, const std::int64_t* step, float* y, std::int64_t count, std::int64_t fours,
                  DropoutNumbers n) {
  const std::int64_t i = thread_number();
  if (4 * i >= count) return;
  const Philox4 words = dropout_rng(n.seed, *step, n.layer).words(static_cast<std::uint64_t>(i));
  if (i < fours) {
    const float4 four = reinterpret_cast<const float4*>(x)[i];
    reinterpret_cast<float4*>(y)[i] =
        make_float4(kept_value(four.x, words[0], n), kept_value(four.y, words[1], n),
                    kept_value(four.z, words[2], n), kept_value(four.w, words[3], n));
    return;
  }
  for (int k = 0; k < 4; ++k) {
    if (4 * i + k < count) y[4 * i + k] = kept_value(x[4 * i + k], words[static_cast<std::size_t>(k)], n);
  }
}

void vectors(const Dropout& op, Buffers buffers, void*, Stream& stream) {
  const auto* x = buffers.in(0);
  auto* y = buffers.out(2);
  const DropoutNumbers numbers{op.seed, op.layer, static_cast<std::uint32_t>(std::ceil(op.p * 0x1p24)),
                               static_cast<float>(1 - op.p)};
  launch(dropout_fours, one_thread_each((op.count + 3) / 4), stream.native(), x, buffers.in<std::int64_t>(1),
         y, op.count, aligned_to_16(x, y) ? op.count / 4 : 0, numbers);
}

}  // namespace

Kernel dropout_cuda_1_naive() {
  return make_kernel<Dropout, naive>();
}
Kernel dropout_cuda_2_vectors() {
  return make_kernel<Dropout, vectors>();
}

}  // namespace umbra

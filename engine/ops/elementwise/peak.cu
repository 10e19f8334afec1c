// cuda_2_vectors of the device's peak rates: sixteen independent chains of multiply-adds per thread; copies
// of 16 bytes per thread.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/elementwise/peak.h"

namespace umbra {
namespace {

__global__ void fma_chains(const float* x, float* y, std::int64_t count, int rounds) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  constexpr float kFactor = static_cast<float>(kPeakFactor), kShift = static_cast<float>(kPeakShift);
  float s[kPeakChains];
#pragma unroll
  for (int j = 0; j < kPeakChains; ++j) s[j] = x[i] + static_cast<float>(j);
  for (int r = 0; r < rounds; ++r) {
#pragma unroll
    for (int j = 0; j < kPeakChains; ++j) s[j] = fmaf(s[j], kFactor, kShift);
  }
  float sum = 0;
#pragma unroll
  for (int j = 0; j < kPeakChains; ++j) sum += s[j];
  y[i] = sum;
}

__global__ void copy_fours(const float* x, float* y, std::int64_t count, std::int64_t fours) {
  const std::int64_t i = thread_number();
  if (i < fours) {
    reinterpret_cast<float4*>(y)[i] = reinterpret_cast<const float4*>(x)[i];
  } else if (const std::int64_t rest = 4 * fours + (i - fours); rest < count) {
    y[rest] = x[rest];
  }
}

void fma(const PeakFma& op, Buffers buffers, void*, Stream& stream) {
  launch(fma_chains, one_thread_each(op.count), stream.native(), buffers.in(0), buffers.out(1), op.count,
         static_cast<int>(op.rounds));
}

void copy(const PeakCopy& op, Buffers buffers, void*, Stream& stream) {
  const auto* x = buffers.in(0);
  auto* y = buffers.out(1);
  const std::int64_t fours = aligned_to_16(x, y) ? op.count / 4 : 0;
  launch(copy_fours, one_thread_each(op.count - 3 * fours), stream.native(), x, y, op.count, fours);
}

}  // namespace

Kernel peak_fma_cuda_2_vectors() {
  return make_kernel<PeakFma, fma>();
}
Kernel peak_copy_cuda_2_vectors() {
  return make_kernel<PeakCopy, copy>();
}

}  // namespace umbra

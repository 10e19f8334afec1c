// Vectors in registers; copies past the caches, which a copy larger than them only dirties.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/peak/cpu_1_simd.cpp"
#include <hwy/cache_control.h>

#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/peak/op.h"
#include "engine/ops/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void fma_range(const float* x, float* y, std::int64_t count, std::int64_t rounds) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto first = hn::LoadU(d, x + i);
    const auto a = hn::Set(d, static_cast<float>(kPeakFactor)),
               b = hn::Set(d, static_cast<float>(kPeakShift));
    hn::Vec<decltype(d)> sum[kPeakChains];
#pragma GCC unroll 16
    for (int j = 0; j < kPeakChains; ++j) sum[j] = hn::Add(first, hn::Set(d, static_cast<float>(j)));
    for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
      for (int j = 0; j < kPeakChains; ++j) sum[j] = hn::MulAdd(sum[j], a, b);
    }
    auto total = sum[0];
#pragma GCC unroll 16
    for (int j = 1; j < kPeakChains; ++j) total = hn::Add(total, sum[j]);
    hn::StoreU(total, d, y + i);
  });
}

void copy_range(const float* x, float* y, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i < count && reinterpret_cast<std::uintptr_t>(y + i) % (sizeof(float) * hn::Lanes(d)) != 0; ++i)
    y[i] = x[i];
  for (; i + lanes <= count; i += lanes) hn::Stream(hn::LoadU(d, x + i), d, y + i);
  for (; i < count; ++i) y[i] = x[i];
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(fma_range);
HWY_EXPORT(copy_range);

namespace {
constexpr std::int64_t kFmaGrain = 256, kCopyGrain = 1 << 18;  // a grain of copies: 1 MiB each way
}  // namespace

void peak_fma_simd(const PeakFma& op, Buffers buffers, void*, Stream&) {
  const auto* x = static_cast<const float*>(buffers[0]);
  auto* y = static_cast<float*>(buffers[1]);
  parallel_chunks(op.count, kFmaGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(fma_range)(x + begin, y + begin, end - begin, op.rounds);
  });
}

void peak_copy_simd(const PeakCopy& op, Buffers buffers, void*, Stream&) {
  const auto* x = static_cast<const float*>(buffers[0]);
  auto* y = static_cast<float*>(buffers[1]);
  parallel_chunks(op.count, kCopyGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(copy_range)(x + begin, y + begin, end - begin);
  });
}

}  // namespace umbra
#endif

// The device's peak rates: the definitions, and cpu_1_simd: multiply-adds in registers; copies with stores
// that bypass the caches, because a copy larger than the caches only evicts their contents.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/elementwise/peak.cpp"
#include "engine/ops/elementwise/peak.h"

#include <hwy/cache_control.h>

#include "engine/cpu/simd.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"
#include "engine/ops/shared/simd_loops.h"

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
namespace {

HWY_EXPORT(fma_range);
HWY_EXPORT(copy_range);

constexpr std::int64_t kFmaGrain = 256, kCopyGrain = 1 << 18;  // a grain of copies: 1 MiB each way
void fma(const PeakFma& op, Buffers buffers, void*, Stream&) {
  const auto* x = buffers.in(0);
  auto* y = buffers.out(1);
  parallel_chunks(op.count, kFmaGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(fma_range)(x + begin, y + begin, end - begin, op.rounds);
  });
}

void copy(const PeakCopy& op, Buffers buffers, void*, Stream&) {
  const auto* x = buffers.in(0);
  auto* y = buffers.out(1);
  parallel_chunks(op.count, kCopyGrain, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(copy_range)(x + begin, y + begin, end - begin);
  });
}

Problems fma_problems(DType dtype) {
  Problems problems;
  for (const auto& [count, rounds] :
       {std::pair{1, 1}, {17, 0}, {33, 5}, {1009, 31}, {16411, 2}, {64, 1000}}) {
    problems.push_back(std::make_unique<PeakFma>(dtype, count, rounds));
  }
  return problems;
}

}  // namespace

Ladder peak_fma_definition() {
  return define_op<PeakFma, peak_fma_reference<float>, peak_fma_reference<double>>(fma_problems);
}
Ladder peak_copy_definition() {
  return define_op<PeakCopy, peak_copy_reference<float>, peak_copy_reference<double>>(
      problems_of_counts<PeakCopy>);
}
Kernel peak_fma_cpu_1_simd() {
  return make_kernel<PeakFma, fma>();
}
Kernel peak_copy_cpu_1_simd() {
  return make_kernel<PeakCopy, copy>();
}

}  // namespace umbra
#endif

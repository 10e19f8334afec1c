// Global average pooling and its adjoint, row by row; sums in double.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/mean_pool/cpu_1_simd.cpp"
#include <algorithm>

#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/mean_pool/op.h"
#include "engine/ops/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

void mean_pool_rows(const float* x, float* y, std::int64_t rows, std::int64_t volume) {
  if (volume == 1) std::copy(x, x + rows, y);
  if (volume == 1) return;
  for (std::int64_t row = 0; row < rows; ++row) {
    WideSums<1> sums;
    const float* from = x + row * volume;
    sums.add(volume, [&](auto dd, std::int64_t i, auto* acc)
                         HWY_ATTR { acc[0] = hn::Add(acc[0], load_wide(dd, from + i)); });
    y[row] = static_cast<float>(sums.total(0) / static_cast<double>(volume));
  }
}

void mean_pool_spread_rows(const float* dy, float* dx, std::int64_t rows, std::int64_t volume) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto share = static_cast<float>(static_cast<double>(dy[row]) / static_cast<double>(volume));
    float* to = dx + row * volume;
    for_lanes<float>(volume,
                     [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(hn::Set(d, share), d, to + i); });
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(mean_pool_rows);
HWY_EXPORT(mean_pool_spread_rows);

namespace {

template <class Body>
void for_rows(std::int64_t rows, std::int64_t volume, const Body& body) {
  parallel_chunks(rows, rows_per_chunk(volume), body);
}

}  // namespace

void mean_pool_forward_simd(const MeanPoolForward& op, Buffers buffers, void*, Stream&) {
  const float* x = static_cast<const float*>(buffers[0]);  // [N, C, S]
  float* y = static_cast<float*>(buffers[1]);              // [N, C]
  for_rows(op.batch * op.channels, op.volume, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(mean_pool_rows)(x + begin * op.volume, y + begin, end - begin, op.volume);
  });
}

void mean_pool_backward_simd(const MeanPoolBackward& op, Buffers buffers, void*, Stream&) {
  const float* dy = static_cast<const float*>(buffers[0]);  // [N, C]
  float* dx = static_cast<float*>(buffers[1]);              // [N, C, S]
  for_rows(op.batch * op.channels, op.volume, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(mean_pool_spread_rows)(dy + begin, dx + begin * op.volume, end - begin, op.volume);
  });
}

}  // namespace umbra
#endif

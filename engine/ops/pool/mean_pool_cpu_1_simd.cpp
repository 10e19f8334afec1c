// Global average pooling and its adjoint on batch-last data: vectors run along the row of C * N numbers of a
// position, sums over positions are in double.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/pool/mean_pool_cpu_1_simd.cpp"
#include <algorithm>

#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/pool/mean_pool.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// y[i] = mean over s of x[s * row + i] for i < count.
void mean_pool_piece(const float* x, float* y, std::int64_t count, std::int64_t row, std::int64_t volume) {
  const auto mean = [&](auto dd, std::int64_t i, auto parts) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
    hn::Vec<decltype(dd)> sum[parts];
    for (int p = 0; p < parts; ++p) sum[p] = hn::Zero(dd);
    for (std::int64_t s = 0; s < volume; ++s) {
      for (int p = 0; p < parts; ++p) sum[p] = hn::Add(sum[p], load_wide(dd, x + s * row + i + p * lanes));
    }
    const hn::Rebind<float, decltype(dd)> d;
    const auto divisor = hn::Set(dd, static_cast<double>(volume));
    for (int p = 0; p < parts; ++p)
      hn::StoreU(hn::DemoteTo(d, hn::Div(sum[p], divisor)), d, y + i + p * lanes);
  };
  const hn::ScalableTag<double> dd;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
  std::int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) mean(dd, i, std::integral_constant<int, 4>());
  for (; i + lanes <= count; i += lanes) mean(dd, i, std::integral_constant<int, 1>());
  for (; i < count; ++i) mean(hn::CappedTag<double, 1>(), i, std::integral_constant<int, 1>());
}

/// y[i] = x[i] / S for i < count.
void mean_pool_share(const float* x, float* y, std::int64_t count, std::int64_t volume) {
  for_lanes<double>(count, [&](auto dd, std::int64_t i) HWY_ATTR {
    const auto share = hn::Div(load_wide(dd, x + i), hn::Set(dd, static_cast<double>(volume)));
    hn::StoreU(hn::DemoteTo(hn::Rebind<float, decltype(dd)>(), share), hn::Rebind<float, decltype(dd)>(),
               y + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(mean_pool_piece);
HWY_EXPORT(mean_pool_share);

namespace {

/// Calls body(begin, end) for pieces of the row: whole vectors, about one grain of work.
template <class Body>
void for_pieces(std::int64_t row, std::int64_t volume, const Body& body) {
  constexpr std::int64_t kVector = 64;
  parallel_chunks(row, (rows_per_chunk(volume) + kVector - 1) / kVector * kVector, body);
}

void forward(const MeanPoolForward& op, Buffers buffers, void*, Stream&) {
  const float* x = buffers.in(0);  // [S, C, N]
  float* y = buffers.out(1);       // [C, N]
  const std::int64_t row = op.channels * op.batch;
  for_pieces(row, op.volume, [&](std::int64_t begin, std::int64_t end) {
    if (op.volume == 1) std::copy(x + begin, x + end, y + begin);
    if (op.volume == 1) return;
    HWY_DYNAMIC_DISPATCH(mean_pool_piece)(x + begin, y + begin, end - begin, row, op.volume);
  });
}

void backward(const MeanPoolBackward& op, Buffers buffers, void*, Stream&) {
  const float* dy = buffers.in(0);  // [C, N]
  float* dx = buffers.out(1);       // [S, C, N]
  const std::int64_t row = op.channels * op.batch;
  for_pieces(row, op.volume, [&](std::int64_t begin, std::int64_t end) {
    if (op.volume == 1) std::copy(dy + begin, dy + end, dx + begin);
    if (op.volume == 1) return;
    HWY_DYNAMIC_DISPATCH(mean_pool_share)(dy + begin, dx + begin, end - begin, op.volume);
    for (std::int64_t s = 1; s < op.volume; ++s) std::copy(dx + begin, dx + end, dx + s * row + begin);
  });
}

}  // namespace

Kernel mean_pool_forward_cpu_1_simd() {
  return make_kernel<MeanPoolForward, forward>();
}
Kernel mean_pool_backward_cpu_1_simd() {
  return make_kernel<MeanPoolBackward, backward>();
}

}  // namespace umbra
#endif

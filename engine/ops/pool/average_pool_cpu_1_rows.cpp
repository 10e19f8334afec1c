// Average pooling over windows on batch-last data: a position is a row of C * N contiguous numbers, and
// vectors run along it, with their sums in double. Forward adds the taps of an output; backward iterates
// over the inputs and adds the shares of the outputs whose windows contain them, so nothing is cleared or
// scattered.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/pool/average_pool_cpu_1_rows.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/pool/average_pool.h"
#include "engine/ops/pool/cpu_rows.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// y[i] = the sum of number i of a row, for i in [begin, end): add(dd, i, parts, sum) adds to sums that
/// start at zero, for `parts` vectors of doubles from i on. Four of them hide the latency of an addition.
template <class Add>
HWY_INLINE void sums_of_row(std::int64_t begin, std::int64_t end, float* y, const Add& add) {
  const auto some = [&](auto dd, std::int64_t i, auto parts) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
    hn::Vec<decltype(dd)> sum[parts];
    for (int p = 0; p < parts; ++p) sum[p] = hn::Zero(dd);
    add(dd, i, parts, sum);
    const hn::Rebind<float, decltype(dd)> d;
    for (int p = 0; p < parts; ++p) hn::StoreU(hn::DemoteTo(d, sum[p]), d, y + i + p * lanes);
  };
  const hn::ScalableTag<double> dd;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
  std::int64_t i = begin;
  for (; i + 4 * lanes <= end; i += 4 * lanes) some(dd, i, std::integral_constant<int, 4>());
  for (; i + lanes <= end; i += lanes) some(dd, i, std::integral_constant<int, 1>());
  for (; i < end; ++i) some(hn::CappedTag<double, 1>(), i, std::integral_constant<int, 1>());
}

/// Output position o, numbers [begin, end) of its row.
void average_pool_row(const AveragePoolForward& op, std::int64_t o, std::int64_t begin, std::int64_t end,
                      const float* x, float* y) {
  const PoolGeometry& g = op.geometry;
  const std::int64_t row = g.row();
  const PositionBox window = window_of(g, o);
  const auto taps = static_cast<double>(op.counted(o / g.out(2) / g.out(1), 0) *
                                        op.counted(o / g.out(2) % g.out(1), 1) * op.counted(o % g.out(2), 2));
  sums_of_row(begin, end, y + o * row, [&](auto dd, std::int64_t i, auto parts, auto* sum) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
    window.for_each([&](std::int64_t at) HWY_ATTR {
      for (int p = 0; p < parts; ++p) sum[p] = hn::Add(sum[p], load_wide(dd, x + at * row + i + p * lanes));
    });
    for (int p = 0; p < parts; ++p) sum[p] = hn::Div(sum[p], hn::Set(dd, taps));
  });
}

/// Input position `input`, numbers [begin, end) of its row.
void average_pool_backward_row(const AveragePoolBackward& op, std::int64_t input, std::int64_t begin,
                               std::int64_t end, const float* dy, float* dx) {
  const std::int64_t row = op.geometry.row();
  const PositionBox outputs = outputs_of(op.geometry, input);
  sums_of_row(begin, end, dx + input * row, [&](auto dd, std::int64_t i, auto parts, auto* sum) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
    for (std::int64_t od = outputs.d.begin; od < outputs.d.end; ++od) {
      for (std::int64_t oh = outputs.h.begin; oh < outputs.h.end; ++oh) {
        const std::int64_t plane = op.counted(od, 0) * op.counted(oh, 1);
        for (std::int64_t ow = outputs.w.begin; ow < outputs.w.end; ++ow) {
          const auto share = hn::Set(dd, 1 / static_cast<double>(plane * op.counted(ow, 2)));
          const float* from = dy + outputs.at(od, oh, ow) * row + i;
          for (int p = 0; p < parts; ++p)
            sum[p] = hn::Add(sum[p], hn::Mul(load_wide(dd, from + p * lanes), share));
        }
      }
    }
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(average_pool_row);
HWY_EXPORT(average_pool_backward_row);

namespace {

void forward(const AveragePoolForward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const float* x = buffers.in(0);  // [D, H, W, C, N]
  float* y = buffers.out(1);       // [oD, oH, oW, C, N]
  for_row_pieces(g.out_volume(), g.row(), [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(average_pool_row)(op, o, begin, end, x, y);
  });
}

void backward(const AveragePoolBackward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const float* dy = buffers.in(0);  // [oD, oH, oW, C, N]
  float* dx = buffers.out(1);       // [D, H, W, C, N]
  for_row_pieces(g.in_volume(), g.row(), [&](std::int64_t input, std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(average_pool_backward_row)(op, input, begin, end, dy, dx);
  });
}

}  // namespace

Kernel average_pool_forward_cpu_1_rows() {
  return make_kernel<AveragePoolForward, forward>();
}
Kernel average_pool_backward_cpu_1_rows() {
  return make_kernel<AveragePoolBackward, backward>();
}

}  // namespace umbra
#endif

// Max pooling on batch-last data: a position is a row of C * N contiguous numbers, and vectors run along it.
// Forward iterates over the taps of an output with the maximum in registers. Backward iterates over the
// inputs and adds the gradients of those outputs whose windows contain them and that chose them, in the
// order of the outputs, so nothing is cleared or scattered. With dilation it also checks some outputs that
// cannot have chosen the input.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/pool/max_pool_cpu_1_rows.cpp"
#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/pool/cpu_rows.h"
#include "engine/ops/pool/max_pool.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// Two vectors at a time, whose comparisons overlap, then one, then single numbers: body(d, i, parts).
template <class Body>
HWY_INLINE void for_vector_pairs(std::int64_t begin, std::int64_t end, const Body& body) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = begin;
  for (; i + 2 * lanes <= end; i += 2 * lanes) body(d, i, std::integral_constant<int, 2>());
  for (; i + lanes <= end; i += lanes) body(d, i, std::integral_constant<int, 1>());
  for (; i < end; ++i) body(one, i, std::integral_constant<int, 1>());
}

/// Output position o, numbers [begin, end) of its row.
void max_pool_row(const PoolGeometry& g, std::int64_t o, std::int64_t begin, std::int64_t end, const float* x,
                  float* y, std::int32_t* argmax) {
  const std::int64_t row = g.row();
  const PositionBox window = window_of(g, o);
  for_vector_pairs(begin, end, [&](auto d, std::int64_t i, auto parts) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    hn::Vec<decltype(d)> best[parts];
    hn::Vec<decltype(di)> best_at[parts];
    for (int p = 0; p < parts; ++p) {
      best[p] = hn::LoadU(d, x + window.first() * row + i + p * lanes);
      best_at[p] = hn::Set(di, static_cast<std::int32_t>(window.first()));
    }
    window.for_each([&](std::int64_t at) HWY_ATTR {
      const auto here = hn::Set(di, static_cast<std::int32_t>(at));
      for (int p = 0; p < parts; ++p) {
        const auto value = hn::LoadU(d, x + at * row + i + p * lanes);
        const auto wins = hn::Or(hn::Gt(value, best[p]), hn::IsNaN(value));
        best[p] = hn::IfThenElse(wins, value, best[p]);
        best_at[p] = hn::IfThenElse(hn::RebindMask(di, wins), here, best_at[p]);
      }
    });
    for (int p = 0; p < parts; ++p) {
      hn::StoreU(best[p], d, y + o * row + i + p * lanes);
      hn::StoreU(best_at[p], di, argmax + o * row + i + p * lanes);
    }
  });
}

/// Input position `input`, numbers [begin, end) of its row.
void max_pool_backward_row(const PoolGeometry& g, std::int64_t input, std::int64_t begin, std::int64_t end,
                           const float* dy, const std::int32_t* argmax, float* dx) {
  const std::int64_t row = g.row();
  const PositionBox outputs = outputs_of(g, input);
  for_vector_pairs(begin, end, [&](auto d, std::int64_t i, auto parts) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto here = hn::Set(di, static_cast<std::int32_t>(input));
    hn::Vec<decltype(d)> sum[parts];
    for (int p = 0; p < parts; ++p) sum[p] = hn::Zero(d);
    outputs.for_each([&](std::int64_t o) HWY_ATTR {
      for (int p = 0; p < parts; ++p) {
        const std::int64_t at = o * row + i + p * lanes;
        const auto chosen = hn::RebindMask(d, hn::Eq(hn::LoadU(di, argmax + at), here));
        sum[p] = hn::Add(sum[p], hn::IfThenElseZero(chosen, hn::LoadU(d, dy + at)));
      }
    });
    for (int p = 0; p < parts; ++p) hn::StoreU(sum[p], d, dx + input * row + i + p * lanes);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(max_pool_row);
HWY_EXPORT(max_pool_backward_row);

namespace {

void forward(const MaxPoolForward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const float* x = buffers.in(0);                       // [D, H, W, C, N]
  float* y = buffers.out(1);                            // [oD, oH, oW, C, N]
  std::int32_t* argmax = buffers.out<std::int32_t>(2);  // [oD, oH, oW, C, N]
  for_row_pieces(g.out_volume(), g.row(), [&](std::int64_t o, std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(max_pool_row)(g, o, begin, end, x, y, argmax);
  });
}

void backward(const MaxPoolBackward& op, Buffers buffers, void*, Stream&) {
  const PoolGeometry& g = op.geometry;
  const float* dy = buffers.in(0);                           // [oD, oH, oW, C, N]
  const std::int32_t* argmax = buffers.in<std::int32_t>(1);  // [oD, oH, oW, C, N]
  float* dx = buffers.out(2);                                // [D, H, W, C, N]
  for_row_pieces(g.in_volume(), g.row(), [&](std::int64_t input, std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(max_pool_backward_row)(g, input, begin, end, dy, argmax, dx);
  });
}

}  // namespace

Kernel max_pool_forward_cpu_1_rows() {
  return make_kernel<MaxPoolForward, forward>();
}
Kernel max_pool_backward_cpu_1_rows() {
  return make_kernel<MaxPoolBackward, backward>();
}

}  // namespace umbra
#endif

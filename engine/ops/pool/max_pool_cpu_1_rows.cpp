// Max pooling on batch-last data: a position is a row of C * N contiguous numbers, and vectors run along it.
// Forward takes the taps of an output one after the other with the winner in registers; backward goes over
// the inputs and adds the gradients of those outputs whose windows hold them and that chose them, in the
// order of the outputs, so that nothing is cleared or scattered.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/pool/max_pool_cpu_1_rows.cpp"
#include <algorithm>

#include "engine/cpu/simd.h"
#include "engine/ops/ladder.h"
#include "engine/ops/pool/max_pool_reference.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// A box of positions of a volume [D, H, W]: half-open ranges per axis.
struct PositionBox {
  PoolRange d, h, w;
  std::int64_t height, width;  // of the volume
  std::int64_t first() const { return (d.begin * height + h.begin) * width + w.begin; }
  /// body(position) in memory order.
  template <class Body>
  HWY_INLINE void for_each(const Body& body) const {
    for (std::int64_t i = d.begin; i < d.end; ++i) {
      for (std::int64_t j = h.begin; j < h.end; ++j) {
        for (std::int64_t k = w.begin; k < w.end; ++k) body((i * height + j) * width + k);
      }
    }
  }
};

/// The inputs that the window of output o sees.
PositionBox window_of(const PoolGeometry& g, std::int64_t o) {
  const std::int64_t k = o % g.out(2), j = o / g.out(2) % g.out(1), i = o / g.out(2) / g.out(1);
  return {pool_range(g, i, 0), pool_range(g, j, 1), pool_range(g, k, 2), g.in[1], g.in[2]};
}

/// The outputs whose windows hold input coordinate i on `axis`.
PoolRange outputs_that_see(const PoolGeometry& g, std::int64_t i, int axis) {
  const auto a = static_cast<std::size_t>(axis);
  const std::int64_t at = i + g.padding[a];  // window o: o * stride <= at < o * stride + kernel
  const std::int64_t begin = at < g.kernel[a] ? 0 : (at - g.kernel[a]) / g.stride[a] + 1;
  return {begin, std::min(g.out(axis), at / g.stride[a] + 1)};
}
PositionBox outputs_of(const PoolGeometry& g, std::int64_t input) {
  const std::int64_t k = input % g.in[2], j = input / g.in[2] % g.in[1], i = input / g.in[2] / g.in[1];
  return {outputs_that_see(g, i, 0), outputs_that_see(g, j, 1), outputs_that_see(g, k, 2), g.out(1),
          g.out(2)};
}

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

/// body(position, begin, end) over `positions` rows, long rows in pieces.
template <class Body>
void for_row_pieces(std::int64_t positions, std::int64_t row, const Body& body) {
  constexpr std::int64_t kPiece = 2048;
  const std::int64_t pieces = (row + kPiece - 1) / kPiece;
  parallel_chunks(positions * pieces, rows_per_chunk(4 * std::min(row, kPiece)),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t from = i % pieces * kPiece;
                      body(i / pieces, from, std::min(row, from + kPiece));
                    }
                  });
}

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

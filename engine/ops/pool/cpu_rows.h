// Shared by the CPU rungs of pooling over windows: the box of the inputs of a window, the box of the
// outputs whose windows contain an input, and the division of the work into rows of positions. Like simd.h,
// which must be included first, this file has no include guard: it is compiled once per instruction set.
#include <algorithm>

#include "engine/ops/pool/pool_geometry.h"
#include "engine/ops/shared/chunks.h"

#if defined(UMBRA_ENGINE_OPS_POOL_CPU_ROWS_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef UMBRA_ENGINE_OPS_POOL_CPU_ROWS_TOGGLE
#undef UMBRA_ENGINE_OPS_POOL_CPU_ROWS_TOGGLE
#else
#define UMBRA_ENGINE_OPS_POOL_CPU_ROWS_TOGGLE
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {

/// A box of positions of a volume [D, H, W], with gaps where the ranges have steps.
struct PositionBox {
  PoolRange d, h, w;
  std::int64_t height, width;  // of the volume
  std::int64_t at(std::int64_t i, std::int64_t j, std::int64_t k) const {
    return (i * height + j) * width + k;
  }
  std::int64_t first() const { return at(d.begin, h.begin, w.begin); }
  /// Calls body(position) in memory order.
  template <class Body>
  HWY_INLINE void for_each(const Body& body) const {
    for (std::int64_t i = d.begin; i < d.end; i += d.step) {
      for (std::int64_t j = h.begin; j < h.end; j += h.step) {
        for (std::int64_t k = w.begin; k < w.end; k += w.step) body(at(i, j, k));
      }
    }
  }
};

/// The inputs in the window of output o.
[[maybe_unused]] inline PositionBox window_of(const PoolGeometry& g, std::int64_t o) {
  const std::int64_t k = o % g.out(2), j = o / g.out(2) % g.out(1), i = o / g.out(2) / g.out(1);
  return {pool_range(g, i, 0), pool_range(g, j, 1), pool_range(g, k, 2), g.in[1], g.in[2]};
}

/// The outputs between whose first and last tap input coordinate i lies on `axis`.
[[maybe_unused]] inline PoolRange outputs_that_see(const PoolGeometry& g, std::int64_t i, int axis) {
  const auto a = static_cast<std::size_t>(axis);
  const std::int64_t at = i + g.padding[a];  // window o: o * stride <= at < o * stride + span
  const std::int64_t span = g.span(axis);
  const std::int64_t begin = at < span ? 0 : (at - span) / g.stride[a] + 1;
  return {begin, std::min(g.out(axis), at / g.stride[a] + 1)};
}
/// Without dilation these are the outputs whose windows contain the input.
[[maybe_unused]] inline PositionBox outputs_of(const PoolGeometry& g, std::int64_t input) {
  const std::int64_t k = input % g.in[2], j = input / g.in[2] % g.in[1], i = input / g.in[2] / g.in[1];
  return {outputs_that_see(g, i, 0), outputs_that_see(g, j, 1), outputs_that_see(g, k, 2), g.out(1),
          g.out(2)};
}

}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

/// Calls body(position, begin, end) for `positions` rows, long rows in pieces.
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

}  // namespace umbra
#endif

#endif  // per target

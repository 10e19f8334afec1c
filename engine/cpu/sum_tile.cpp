// The register tile, compiled once per instruction set (engine/cpu/simd.h explains how), with plain functions
// to call it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/sum_tile.cpp"
#include "engine/cpu/sum_tile.h"

#include <hwy/cache_control.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/cpu/simd.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
// The lanes, rows and vectors of a tile are small constants: their products in int cannot overflow.
// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
namespace {

using Floats = hn::ScalableTag<float>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));

// The sums, the vectors of B and one broadcast number must fit into the register file: 32 registers of 16
// floats on AVX-512, 16 of 8 on AVX2, 32 of 4 on NEON. With 16 lanes, half vectors are worth supporting: CPUs
// with two 256-bit units process twice as many of them.
#if HWY_TARGET == HWY_AVX2
constexpr int kRows = 6, kVectors = 2;
#elif HWY_TARGET == HWY_NEON
constexpr int kRows = 6, kVectors = 4;
#elif HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
constexpr int kRows = 4, kVectors = 4;
#else
#define UMBRA_SUM_TILE_HALVES
constexpr int kRows = 12, kVectors = 2;
#endif
#ifdef UMBRA_SUM_TILE_HALVES
#undef UMBRA_SUM_TILE_HALVES
constexpr int kHalves = 2;     // units in a vector
constexpr bool kMasks = true;  // masked loads cost nothing, so full tiles need no separate code
using Rest = hn::Half<Floats>;
#else
constexpr int kHalves = 1;
constexpr bool kMasks = false;
using Rest = Floats;  // never used
#endif
constexpr int kLine = 16;   // floats in a cache line
constexpr int kAhead = 16;  // steps
constexpr int kUnit = kLanes / kHalves, kUnits = kVectors * kHalves;

template <class D>
HWY_INLINE hn::Vec<D> load_first(D d, const float* p, hn::Mask<D> mask, [[maybe_unused]] std::int64_t count) {
#if HWY_MEM_OPS_MIGHT_FAULT
  (void)mask;
  return load_some(d, p, count);
#else
  return hn::MaskedLoad(mask, d, p);
#endif
}

template <class D>
HWY_INLINE void store_first(D d, hn::Vec<D> v, float* p, hn::Mask<D> mask, std::int64_t count) {
#if HWY_MEM_OPS_MIGHT_FAULT
  (void)mask;
  store_some(v, d, p, count);
#else
  (void)count;
  hn::BlendedStore(v, mask, d, p);
#endif
}

// The sums of a tile: R rows of V vectors, followed by half a vector if kRest. kPartial: the last of these is
// not full.
template <int R, int V, bool kRest, bool kPartial>
struct Sums {
  static constexpr int kWhole = kRest || !kPartial ? V : V - 1;  // vectors that are certainly full

  HWY_INLINE explicit Sums(const SumTile& t)
      : used(t.lanes - kWhole * kLanes),
        mask(hn::FirstN(Floats(), static_cast<std::size_t>(used))),
        rest_mask(hn::FirstN(Rest(), static_cast<std::size_t>(used))) {}

  template <bool kPrefetch>
  HWY_INLINE void begin(const SumTile& t) {
    const Floats d;
    const Rest rest;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const float* c = t.c + r * t.c_row;
      if constexpr (kPrefetch) {
#pragma GCC unroll 4
        for (int l = 0; l < V * kLanes + (kRest ? 1 : 0); l += kLine) hwy::Prefetch(c + l);
      }
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        sum[r][v] = !t.add       ? hn::Zero(d)
                    : v < kWhole ? hn::LoadU(d, c + v * kLanes)
                                 : load_first(d, c + v * kLanes, mask, used);
      }
      if constexpr (kRest) {
        sum_rest[r] = !t.add     ? hn::Zero(rest)
                      : kPartial ? load_first(rest, c + V * kLanes, rest_mask, used)
                                 : hn::LoadU(rest, c + V * kLanes);
      }
    }
  }

  // Adds the products of R numbers of A and one row of B. The numbers are contiguous at `a`, or that of row r
  // is at group[r / 3] + r % 3 * stride.
  template <bool kRowsAdjacent, std::size_t kGroups>
  HWY_INLINE void add(const float* a, const float* const (&group)[kGroups], std::int64_t stride,
                      const float* b, bool may_read_on) {
    const Floats d;
    const Rest rest;
    hn::Vec<Floats> row[std::max(V, 1)];
    hn::Vec<Rest> row_rest;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      row[v] = v < kWhole || may_read_on ? hn::LoadU(d, b + v * kLanes)
                                         : load_first(d, b + v * kLanes, mask, used);
    }
    if constexpr (kRest) {
      row_rest =
          kPartial ? load_first(rest, b + V * kLanes, rest_mask, used) : hn::LoadU(rest, b + V * kLanes);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const float* p = kRowsAdjacent ? a + r : group[r / 3] + r % 3 * stride;
      if constexpr (V > 0) {
        const auto number = hn::Set(d, *p);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(number, row[v], sum[r][v]);
      }
      if constexpr (kRest) sum_rest[r] = hn::MulAdd(hn::Set(rest, *p), row_rest, sum_rest[r]);
    }
  }

  HWY_INLINE void store(const SumTile& t) const {
    const Floats d;
    const Rest rest;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      float* c = t.c + r * t.c_row;
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        if (v < kWhole || used == kLanes) hn::StoreU(sum[r][v], d, c + v * kLanes);
        if (v >= kWhole && used < kLanes) store_first(d, sum[r][v], c + v * kLanes, mask, used);
      }
      if constexpr (kRest) {
        if (!kPartial || used == kUnit) hn::StoreU(sum_rest[r], rest, c + V * kLanes);
        if (kPartial && used < kUnit) store_first(rest, sum_rest[r], c + V * kLanes, rest_mask, used);
      }
    }
  }

  hn::Vec<Floats> sum[R][std::max(V, 1)];
  hn::Vec<Rest> sum_rest[R];
  std::int64_t used;  // lanes of the partial vector
  hn::Mask<Floats> mask;
  hn::Mask<Rest> rest_mask;
};

// One tile. kRowsAdjacent: a_row is 1; otherwise a_step is 1.
template <int R, int V, bool kRest, bool kPartial, bool kRowsAdjacent, bool kPrefetch>
void product(const SumTile& t, const TileSegment* segments, std::int64_t count) {
  constexpr int kGroups = (R + 2) / 3;  // three rows share a pointer: addresses base + {0, 1, 2} * stride
  Sums<R, V, kRest, kPartial> sums(t);
  sums.template begin<kPrefetch>(t);
  const std::int64_t steps = t.steps, stride = t.a_row, b_step = t.b_step;
  const std::int64_t a_step = kRowsAdjacent ? t.a_step : 1;
  const bool may_read_on = !kMasks && t.b_padded;
  const std::int64_t turn = steps > kAhead ? steps - kAhead : 0;
  for (std::int64_t s = 0; s < count; ++s) {
    const float* a = t.a + segments[s].a * t.a_block;
    const float* b = t.b + segments[s].b * t.b_block;
    const TileSegment& next = segments[s + 1 < count ? s + 1 : s];
    // Prefetches the data of kAhead steps later: of this segment before step `turn`, then of the next segment.
    const float *a_soon = a + kAhead * a_step, *a_next = t.a + next.a * t.a_block;
    const float *b_soon = b + kAhead * b_step, *b_next = t.b + next.b * t.b_block;
    const float* group[kGroups];
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) group[g] = a + 3 * g * stride;
    for (std::int64_t step = 0; step < steps; ++step) {
      if constexpr (kPrefetch) {
        a_soon = step == turn ? a_next : a_soon;
        b_soon = step == turn ? b_next : b_soon;
#pragma GCC unroll 4
        for (int l = 0; l < V * kLanes + (kRest ? 1 : 0); l += kLine) hwy::Prefetch(b_soon + l);
        if constexpr (kRowsAdjacent) {
          hwy::Prefetch(a_soon);
          if (R > 1) hwy::Prefetch(a_soon + R - 1);
        } else {
          hwy::Prefetch(a_soon + step % kLine * stride);  // every row reaches a new line every kLine steps
        }
        a_soon += a_step;
        b_soon += b_step;
      }
      sums.template add<kRowsAdjacent>(a, group, stride, b, may_read_on);
      a += a_step;
      b += b_step;
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; ++g) ++group[g];
    }
  }
  sums.store(t);
}

using Product = void (*)(const SumTile&, const TileSegment*, std::int64_t);

// products[(rows - 1) * kUnits + units - 1]
template <bool kPartial, bool kRowsAdjacent, bool kPrefetch, std::size_t... I>
constexpr std::array<Product, sizeof...(I)> table_of(std::index_sequence<I...>) {
  return {product<static_cast<int>(I) / kUnits + 1, (static_cast<int>(I) % kUnits + 1) / kHalves,
                  (static_cast<int>(I) % kUnits + 1) % kHalves == 1, kPartial, kRowsAdjacent, kPrefetch>...};
}

void tile_shape_of_target(SumTileShape* out) {
  *out = {kRows, kUnits, kUnit};
}

void run_tile(const SumTile* tile, const TileSegment* segments, std::int64_t count) {
  static constexpr auto kAll = std::make_index_sequence<kRows * kUnits>();
  static constexpr std::array<Product, kRows * kUnits> kProducts[2][2][2] = {
      {{table_of<kMasks, false, false>(kAll), table_of<kMasks, false, true>(kAll)},
       {table_of<kMasks, true, false>(kAll), table_of<kMasks, true, true>(kAll)}},
      {{table_of<true, false, false>(kAll), table_of<true, false, true>(kAll)},
       {table_of<true, true, false>(kAll), table_of<true, true, true>(kAll)}}};
  const std::int64_t units = (tile->lanes + kUnit - 1) / kUnit;
  const bool partial = tile->lanes % kUnit != 0, rows_adjacent = tile->a_row == 1;
  const auto index = static_cast<std::size_t>((tile->rows - 1) * kUnits + units - 1);
  kProducts[partial][rows_adjacent][tile->prefetch][index](*tile, segments, count);
}

}  // namespace
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(tile_shape_of_target);
HWY_EXPORT(run_tile);

SumTileShape sum_tile_shape() {
  SumTileShape shape;
  HWY_DYNAMIC_DISPATCH(tile_shape_of_target)(&shape);
  return shape;
}

void sum_tile(const SumTile& tile, const TileSegment* segments, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(run_tile)(&tile, segments, count);
}

}  // namespace umbra
#endif

// The register tile and its packing, once per instruction set (engine/cpu/simd.h says how), behind plain
// functions.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/tile.cpp"
#include "engine/cpu/tile.h"

#include <hwy/cache_control.h>

#include <array>
#include <cstring>
#include <utility>

#include "engine/cpu/simd.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;

// Sums, one row of B and one broadcast number have to fit the register file: 32 registers of 16 floats on
// AVX-512, 16 of 8 on AVX2, 32 of 4 on NEON.
#if HWY_TARGET == HWY_AVX2
constexpr int kRows = 6, kVectors = 2;
#elif HWY_TARGET == HWY_NEON
constexpr int kRows = 6, kVectors = 4;
#elif HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
constexpr int kRows = 4, kVectors = 4;
#else
constexpr int kRows = 12, kVectors = 2;
#endif
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Floats()));
static_assert(kRows <= kMaxTileRows && kVectors * kLanes <= kMaxTileWidth);

constexpr int kLine = 16;  // floats in a cache line
constexpr int kAhead = 8;  // rows of B asked for before they are needed

template <int R, int V>
void product(const TileProduct& tile, const Segment* segments, std::int64_t count) {
  constexpr int kWidth = V * kLanes;
  const Floats d;
  const std::int64_t steps = tile.steps;
  hn::Vec<Floats> sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      sum[r][v] = tile.add ? hn::LoadU(d, tile.c + r * kWidth + v * kLanes) : hn::Zero(d);
    }
  }
  for (std::int64_t s = 0; s < count; ++s) {
    const float* a = tile.a + segments[s].a * steps * R;
    const float* b = tile.b + segments[s].b * tile.b_stride;
    const float* next = tile.b + segments[s + 1 < count ? s + 1 : s].b * tile.b_stride;
    for (int i = 0; i < kAhead * kWidth; i += kLine) hwy::Prefetch(next + i);
    for (std::int64_t step = 0; step < steps; ++step, a += R, b += kWidth) {
      hn::Vec<Floats> row[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) row[v] = hn::Load(d, b + v * kLanes);
#pragma GCC unroll 2
      for (int i = 0; i < kWidth; i += kLine) hwy::Prefetch(b + kAhead * kWidth + i);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const auto number = hn::Set(d, a[r]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(number, row[v], sum[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) hn::StoreU(sum[r][v], d, tile.c + r * kWidth + v * kLanes);
  }
}

using Product = void (*)(const TileProduct&, const Segment*, std::int64_t);

// products[(rows - 1) * kVectors + vectors - 1]
template <std::size_t... I>
constexpr std::array<Product, sizeof...(I)> table_of(std::index_sequence<I...>) {
  return {product<static_cast<int>(I) / kVectors + 1, static_cast<int>(I) % kVectors + 1>...};
}

void shape(TileShape* out) {
  *out = {kRows, kVectors, kLanes};
}

void run_product(const TileProduct* tile, const Segment* segments, std::int64_t count) {
  static constexpr auto kProducts = table_of(std::make_index_sequence<kRows * kVectors>());
  kProducts[static_cast<std::size_t>((tile->rows - 1) * kVectors + tile->vectors - 1)](*tile, segments,
                                                                                       count);
}

// to[j][i] = from[i][j]
HWY_INLINE void transpose_4x4(const float* from, std::int64_t from_stride, float* const* to) {
#if HWY_TARGET == HWY_SCALAR
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 4; ++i) to[j][i] = from[i * from_stride + j];
  }
#else
  const hn::Full128<float> d;
  const auto row0 = hn::LoadU(d, from), row1 = hn::LoadU(d, from + from_stride);
  const auto row2 = hn::LoadU(d, from + 2 * from_stride), row3 = hn::LoadU(d, from + 3 * from_stride);
  const auto low02 = hn::InterleaveLower(d, row0, row2), low13 = hn::InterleaveLower(d, row1, row3);
  const auto high02 = hn::InterleaveUpper(d, row0, row2), high13 = hn::InterleaveUpper(d, row1, row3);
  hn::StoreU(hn::InterleaveLower(d, low02, low13), d, to[0]);
  hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, to[1]);
  hn::StoreU(hn::InterleaveLower(d, high02, high13), d, to[2]);
  hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, to[3]);
#endif
}

constexpr int kRun = 16;  // source elements handled together: a cache line of every lane

// source[lane * lane_stride + j] to to[j][lane] for j < count <= kRun; null rows are skipped. Where four does
// not divide, the last group of four overlaps the one before it: cheaper than single elements.
// `ahead` elements further on stands what a run soon to come will read.
void pack_run(const TileSource& t, const float* source, std::int64_t ahead, int count, float* const* to) {
  const std::int64_t in_fours = t.lanes < 4 || count < 4 ? 0 : t.lanes;
  for (std::int64_t next = 0; next < in_fours; next += 4) {
    const std::int64_t lane = next + 4 <= t.lanes ? next : t.lanes - 4;
    const float* from = source + lane * t.lane_stride;
    for (int q = 0; q < 4; ++q) hwy::Prefetch(from + q * t.lane_stride + ahead);
    for (int j4 = 0; j4 < count; j4 += 4) {
      const int j = j4 + 4 <= count ? j4 : count - 4;
      float spare[4];  // takes what a left-out block would get
      float* rows[4];
      bool any = false;
      for (int q = 0; q < 4; ++q) {
        any = any || to[j + q];
        rows[q] = to[j + q] ? to[j + q] + lane : spare;
      }
      if (any) transpose_4x4(from + j, t.lane_stride, rows);
    }
  }
  const std::int64_t padding = t.width - t.lanes;
  for (int j = 0; j < count; ++j) {
    if (!to[j]) continue;
    for (std::int64_t lane = in_fours; lane < t.lanes; ++lane) to[j][lane] = source[lane * t.lane_stride + j];
    if (padding > 0) std::memset(to[j] + t.lanes, 0, static_cast<std::size_t>(padding) * sizeof(float));
  }
}

// Lanes already stand side by side: copy.
void pack_copies(const TileSource& t, std::int64_t begin, std::int64_t end, float* packed) {
  for (std::int64_t block = 0; block < t.blocks; ++block) {
    if (t.slot[block] < 0) continue;
    for (std::int64_t step = begin; step < end; ++step) {
      float* to = packed + (t.slot[block] * t.steps + step) * t.width;
      std::memcpy(to, t.source + step * t.step_stride + block,
                  static_cast<std::size_t>(t.lanes) * sizeof(float));
      for (std::int64_t lane = t.lanes; lane < t.width; ++lane) to[lane] = 0.0f;
    }
  }
}

void run_pack(const TileSource* tile, std::int64_t begin, std::int64_t end, float* packed) {
  const TileSource& t = *tile;
  if (t.lane_stride == 1) return pack_copies(t, begin, end, packed);
  // Consecutive steps follow one another in memory when nothing stands between their blocks: one long run.
  const bool joined = t.step_stride == t.blocks;
  const std::int64_t runs = joined ? 1 : end - begin;
  const std::int64_t length = joined ? (end - begin) * t.blocks : t.blocks;
  const std::int64_t ahead = 2 * (joined ? kRun : t.step_stride);
  for (std::int64_t run = 0; run < runs; ++run) {
    std::int64_t step = begin + run, block = 0;
    const float* source = t.source + step * t.step_stride;
    for (std::int64_t j = 0; j < length; j += kRun) {
      const int count = static_cast<int>(length - j < kRun ? length - j : kRun);
      float* to[kRun];
      for (int q = 0; q < count; ++q) {
        to[q] = t.slot[block] < 0 ? nullptr : packed + (t.slot[block] * t.steps + step) * t.width;
        if (++block == t.blocks) block = 0, ++step;
      }
      pack_run(t, source + j, ahead, count, to);
    }
  }
}

void run_unpack(const float* tiles, std::int64_t blocks, std::int64_t rows, std::int64_t width,
                std::int64_t rows_kept, std::int64_t lanes, float* out, std::int64_t row_stride,
                std::int64_t lane_stride) {
  for (std::int64_t row = 0; row < rows_kept; ++row, out += row_stride, tiles += width) {
    if (lane_stride == 1) {
      for (std::int64_t block = 0; block < blocks; ++block) {
        std::memcpy(out + block, tiles + block * rows * width,
                    static_cast<std::size_t>(lanes) * sizeof(float));
      }
      continue;
    }
    if (lanes < 4 || blocks < 4) {
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        for (std::int64_t block = 0; block < blocks; ++block) {
          out[lane * lane_stride + block] = tiles[block * rows * width + lane];
        }
      }
      continue;
    }
    for (std::int64_t next_lane = 0; next_lane < lanes; next_lane += 4) {  // overlapping as in pack_run
      const std::int64_t lane = next_lane + 4 <= lanes ? next_lane : lanes - 4;
      for (std::int64_t next = 0; next < blocks; next += 4) {
        const std::int64_t block = next + 4 <= blocks ? next : blocks - 4;
        float* to = out + lane * lane_stride + block;
        float* const to4[4] = {to, to + lane_stride, to + 2 * lane_stride, to + 3 * lane_stride};
        transpose_4x4(tiles + block * rows * width + lane, rows * width, to4);
      }
    }
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(shape);
HWY_EXPORT(run_product);
HWY_EXPORT(run_pack);
HWY_EXPORT(run_unpack);

TileShape tile_shape() {
  TileShape out;
  HWY_DYNAMIC_DISPATCH(shape)(&out);
  return out;
}

void tile_product(const TileProduct& tile, const Segment* segments, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(run_product)(&tile, segments, count);
}

void tile_pack(const TileSource& tile, std::int64_t begin, std::int64_t end, float* packed) {
  HWY_DYNAMIC_DISPATCH(run_pack)(&tile, begin, end, packed);
}

void tile_unpack(const float* tiles, std::int64_t blocks, std::int64_t rows, std::int64_t width,
                 std::int64_t rows_kept, std::int64_t lanes, float* out, std::int64_t row_stride,
                 std::int64_t lane_stride) {
  HWY_DYNAMIC_DISPATCH(run_unpack)
  (tiles, blocks, rows, width, rows_kept, lanes, out, row_stride, lane_stride);
}

}  // namespace umbra
#endif

// The register tile of bfloat16 products, compiled for the one instruction set of each architecture that has
// the dot product (engine/cpu/bf16_dot.h).
#include "engine/cpu/bf16_tile.h"

#include <array>
#include <utility>

#include "engine/base/precision.h"
#include "engine/cpu/bf16_dot.h"

namespace umbra {

bool bf16_tile_supported() {
  return cpu_has_bf16_dot();
}

#if defined(__x86_64__) || defined(__aarch64__)
// The lanes, rows and vectors of a tile are small constants: their products in int cannot overflow.
// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
namespace {

using D = Bf16Dot;
constexpr int kLine = 16;  // words in a cache line

// Sums of R rows of V vectors; the last vector has `used` lanes.
template <int R, int V>
UMBRA_BF16_INLINE void load_sums(const Bf16Tile& t, std::int64_t used, D::Sums (&sum)[R][V]) {
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      sum[r][v] =
          t.add ? D::load_first(t.c + r * t.c_row + v * D::kLanes, v < V - 1 ? D::kLanes : used) : D::zero();
    }
  }
}

template <int R, int V>
UMBRA_BF16_INLINE void store_sums(const Bf16Tile& t, std::int64_t used, const D::Sums (&sum)[R][V]) {
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      D::store_first(t.c + r * t.c_row + v * D::kLanes, sum[r][v], v < V - 1 ? D::kLanes : used);
    }
  }
}

// R rows of V vectors, the last of which may be partly used. kRowsAdjacent: a_row is 1; otherwise a_step is
// 1.
template <int R, int V, bool kRowsAdjacent, bool kSoon>
UMBRA_BF16_TARGET void product(const Bf16Tile& t, const TileSegment* segments, std::int64_t count) {
  constexpr int kGroups = (R + 2) / 3;  // three rows share a pointer: addresses base + {0, 1, 2} * stride
  const std::int64_t used = t.lanes - (V - 1) * D::kLanes;
  const std::int64_t steps = t.steps, stride = t.a_row, b_step = t.b_step;
  const std::int64_t a_step = kRowsAdjacent ? t.a_step : 1;
  D::Sums sum[R][V];
  load_sums(t, used, sum);
  for (std::int64_t s = 0; s < count; ++s) {
    const std::uint32_t* a = t.a + (segments[s].a - t.a_first) * t.a_block;
    const std::uint32_t* b = t.b + segments[s].b * t.b_block;
    const TileSegment& next = segments[s + 1 < count ? s + 1 : s];
    const std::uint32_t* a_next = t.a + (next.a - t.a_first) * t.a_block;
    if constexpr (!kRowsAdjacent) {  // one short run per row, which hardware prefetchers do not follow
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) __builtin_prefetch(a_next + r * stride);
    }
    const std::uint32_t* b_next = t.b + next.b * t.b_block;
#pragma GCC unroll 4
    for (int v = 0; v < V * D::kLanes; v += kLine) __builtin_prefetch(b_next + v);
    const std::uint32_t* group[kGroups];
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) group[g] = a + 3 * g * stride;
    const SoonWanted& w = t.soon;
    const std::int64_t part = w.first + s;
    const std::byte* soon = part < w.parts ? w.p + part / w.per * w.outer + part % w.per * w.inner
                                           : reinterpret_cast<const std::byte*>(t.c);
    const std::int64_t soon_step = part < w.parts ? w.step : 0, soon_width = part < w.parts ? w.width : 0;
    for (std::int64_t step = 0; step < steps; ++step) {
      if constexpr (kSoon) {
        __builtin_prefetch(soon, 0, 2);  // into the second-level cache
        __builtin_prefetch(soon + soon_width, 0, 2);
        soon += soon_step;
      }
      D::Pairs row[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) row[v] = D::load(b + v * D::kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const D::Pairs pair = D::broadcast(kRowsAdjacent ? a + r : group[r / 3] + r % 3 * stride);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) sum[r][v] = D::dot(sum[r][v], pair, row[v]);
      }
      a += a_step;
      b += b_step;
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; ++g) ++group[g];
    }
  }
  store_sums(t, used, sum);
}

using Product = void (*)(const Bf16Tile&, const TileSegment*, std::int64_t);

// products[(rows - 1) * kVectors + vectors - 1]
template <bool kRowsAdjacent, bool kSoon, std::size_t... I>
constexpr std::array<Product, sizeof...(I)> table_of(std::index_sequence<I...>) {
  return {product<static_cast<int>(I) / D::kVectors + 1, static_cast<int>(I) % D::kVectors + 1, kRowsAdjacent,
                  kSoon>...};
}

}  // namespace

SumTileShape bf16_tile_shape() {
  return {D::kRows, D::kVectors, D::kLanes};
}

void bf16_tile(const Bf16Tile& tile, const TileSegment* segments, std::int64_t count) {
  static constexpr auto kAll = std::make_index_sequence<D::kRows * D::kVectors>();
  static constexpr std::array<Product, D::kRows * D::kVectors> kProducts[2][2] = {
      {table_of<false, false>(kAll), table_of<false, true>(kAll)},
      {table_of<true, false>(kAll), table_of<true, true>(kAll)}};
  const std::int64_t vectors = (tile.lanes + D::kLanes - 1) / D::kLanes;
  kProducts[tile.a_row == 1][tile.soon.p != nullptr]
           [static_cast<std::size_t>((tile.rows - 1) * D::kVectors + vectors - 1)](tile, segments, count);
}

UMBRA_BF16_TARGET void bf16_pair_rows(const float* from, std::int64_t from_row, std::int64_t rows,
                                      std::int64_t columns, std::uint32_t* to, std::int64_t to_row,
                                      std::int64_t width) {
  for (std::int64_t r = 0; r < rows; r += 2, from += 2 * from_row, to += to_row) {
    const float* other = from + from_row;
    for (std::int64_t l = 0; l < columns; l += D::kLanes) {
      const std::int64_t count = columns - l < D::kLanes ? columns - l : D::kLanes;
      const D::Sums high = r + 1 < rows ? D::load_first(other + l, count) : D::zero();
      D::store_first(to + l, D::pair(D::load_first(from + l, count), high), count);
    }
    for (std::int64_t l = columns; l < width; ++l) to[l] = 0;
  }
}

UMBRA_BF16_TARGET void bf16_pair_columns(const float* from, std::int64_t from_row, std::int64_t rows,
                                         std::int64_t columns, std::uint32_t* to, std::int64_t to_row) {
  for (std::int64_t r = 0; r < rows; ++r, from += from_row, to += to_row) {
    std::int64_t j = 0;
    for (; 2 * (j + D::kLanes) <= columns; j += D::kLanes) {
      D::store_first(to + j, D::neighbours(from + 2 * j), D::kLanes);
    }
    if (2 * j == columns) continue;
    float rest[2 * D::kLanes] = {};
    for (std::int64_t c = 2 * j; c < columns; ++c) rest[c - 2 * j] = from[c];
    D::store_first(to + j, D::neighbours(rest), (columns + 1) / 2 - j);
  }
}

#else

SumTileShape bf16_tile_shape() {
  return {1, 1, 1};
}

// Never called (bf16_tile_supported() is false), but correct.
void bf16_tile(const Bf16Tile& t, const TileSegment* segments, std::int64_t count) {
  const auto half = [](std::uint32_t bits) { return std::bit_cast<float>(bits); };
  for (std::int64_t r = 0; r < t.rows; ++r) {
    for (std::int64_t l = 0; l < t.lanes; ++l) {
      float sum = t.add ? t.c[r * t.c_row + l] : 0;
      for (std::int64_t s = 0; s < count; ++s) {
        const std::uint32_t* a = t.a + (segments[s].a - t.a_first) * t.a_block + r * t.a_row;
        const std::uint32_t* b = t.b + segments[s].b * t.b_block + l;
        for (std::int64_t j = 0; j < t.steps; ++j, a += t.a_step, b += t.b_step) {
          sum += half(*a << 16) * half(*b << 16);
          sum += half(*a & 0xffff0000) * half(*b & 0xffff0000);
        }
      }
      t.c[r * t.c_row + l] = sum;
    }
  }
}

void bf16_pair_rows(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                    std::uint32_t* to, std::int64_t to_row, std::int64_t width) {
  for (std::int64_t r = 0; r < rows; r += 2, from += 2 * from_row, to += to_row) {
    const float* other = from + from_row;
    if (r + 1 < rows) {
      for (std::int64_t l = 0; l < columns; ++l) to[l] = bf16_bits(from[l]) | bf16_bits(other[l]) << 16;
    } else {
      for (std::int64_t l = 0; l < columns; ++l) to[l] = bf16_bits(from[l]);
    }
    for (std::int64_t l = columns; l < width; ++l) to[l] = 0;
  }
}

void bf16_pair_columns(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                       std::uint32_t* to, std::int64_t to_row) {
  for (std::int64_t r = 0; r < rows; ++r, from += from_row, to += to_row) {
    const std::int64_t pairs = columns / 2;
    for (std::int64_t j = 0; j < pairs; ++j) {
      to[j] = bf16_bits(from[2 * j]) | bf16_bits(from[2 * j + 1]) << 16;
    }
    if (columns % 2 != 0) to[pairs] = bf16_bits(from[columns - 1]);
  }
}

#endif

// Plain loops, which the compiler vectorises.
UMBRA_BF16_TARGET void bf16_pair_rows(const Bf16* from, std::int64_t from_row, std::int64_t rows,
                                      std::int64_t columns, std::uint32_t* to, std::int64_t to_row,
                                      std::int64_t width) {
  for (std::int64_t r = 0; r < rows; r += 2, from += 2 * from_row, to += to_row) {
    const Bf16* other = from + from_row;
    if (r + 1 < rows) {
      for (std::int64_t l = 0; l < columns; ++l) to[l] = from[l].bits | std::uint32_t{other[l].bits} << 16;
    } else {
      for (std::int64_t l = 0; l < columns; ++l) to[l] = from[l].bits;
    }
    for (std::int64_t l = columns; l < width; ++l) to[l] = 0;
  }
}
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

}  // namespace umbra

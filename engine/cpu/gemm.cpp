// The register tile once per instruction set, and around it the cutting into cache blocks and tasks.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/gemm.cpp"
#include "engine/cpu/gemm.h"

#include <hwy/cache_control.h>

#include <array>
#include <utility>

#include "engine/cpu/simd.h"

namespace umbra {
#ifndef UMBRA_ENGINE_CPU_GEMM_TYPES
#define UMBRA_ENGINE_CPU_GEMM_TYPES
// One register tile: c[r][lane] (+)= sum over steps of a[r * a_row + step * a_step] * b[step * b_step +
// lane].
struct GemmTile {
  std::int64_t rows, vectors, steps;
  const float* a;
  std::int64_t a_row, a_step;
  const float* b;
  std::int64_t b_step;
  float* c;  // lanes side by side
  std::int64_t c_row;
  bool add;  // to what c holds
};
struct GemmShape {
  std::int64_t rows, vectors, lanes;  // of the largest tile
};
#endif
}  // namespace umbra

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

template <int R, int V>
void product(const GemmTile& t) {
  const Floats d;
  hn::Vec<Floats> sum[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      sum[r][v] = t.add ? hn::LoadU(d, t.c + r * t.c_row + v * kLanes) : hn::Zero(d);
  }
  const float* a = t.a;
  const float* b = t.b;
  const std::int64_t a_row = t.a_row;
  for (std::int64_t step = 0; step < t.steps; ++step, a += t.a_step, b += t.b_step) {
    hn::Vec<Floats> row[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) row[v] = hn::LoadU(d, b + v * kLanes);
#pragma GCC unroll 4
    for (int i = 0; i < V * kLanes; i += 16) hwy::Prefetch(b + 8 * t.b_step + i);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const auto number = hn::Set(d, a[r * a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(number, row[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) hn::StoreU(sum[r][v], d, t.c + r * t.c_row + v * kLanes);
  }
}

using Product = void (*)(const GemmTile&);

// products[(rows - 1) * kVectors + vectors - 1]
template <std::size_t... I>
constexpr std::array<Product, sizeof...(I)> table_of(std::index_sequence<I...>) {
  return {product<static_cast<int>(I) / kVectors + 1, static_cast<int>(I) % kVectors + 1>...};
}

void gemm_shape(GemmShape* out) {
  *out = {kRows, kVectors, kLanes};
}

void gemm_tile(const GemmTile* tile) {
  static constexpr auto kProducts = table_of(std::make_index_sequence<kRows * kVectors>());
  kProducts[static_cast<std::size_t>((tile->rows - 1) * kVectors + tile->vectors - 1)](*tile);
}

// to[j * to_stride + i] = from[i * from_stride + j] for i < rows, j < columns.
void gemm_transpose(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns,
                    float* to, std::int64_t to_stride) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::Full128<float> d;
  for (; i + 4 <= rows; i += 4) {
    const float* source = from + i * from_stride;
    std::int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
      const auto row0 = hn::LoadU(d, source + j), row1 = hn::LoadU(d, source + from_stride + j);
      const auto row2 = hn::LoadU(d, source + 2 * from_stride + j),
                 row3 = hn::LoadU(d, source + 3 * from_stride + j);
      const auto low02 = hn::InterleaveLower(d, row0, row2), low13 = hn::InterleaveLower(d, row1, row3);
      const auto high02 = hn::InterleaveUpper(d, row0, row2), high13 = hn::InterleaveUpper(d, row1, row3);
      float* out = to + j * to_stride + i;
      hn::StoreU(hn::InterleaveLower(d, low02, low13), d, out);
      hn::StoreU(hn::InterleaveUpper(d, low02, low13), d, out + to_stride);
      hn::StoreU(hn::InterleaveLower(d, high02, high13), d, out + 2 * to_stride);
      hn::StoreU(hn::InterleaveUpper(d, high02, high13), d, out + 3 * to_stride);
    }
    for (; j < columns; ++j) {
      for (std::int64_t q = 0; q < 4; ++q) to[j * to_stride + i + q] = source[q * from_stride + j];
    }
  }
#endif
  for (; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) to[j * to_stride + i] = from[i * from_stride + j];
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cstring>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

HWY_EXPORT(gemm_shape);
HWY_EXPORT(gemm_tile);
HWY_EXPORT(gemm_transpose);

constexpr std::int64_t kMaxTile = 12 * 4 * 16;  // floats, above every shape
constexpr std::int64_t kSteps = 256;            // of k at a time: a panel of A is then 12 KB, of B 32 KB
constexpr std::int64_t kBlockRows = 96;        // rows of A a task works on: 98 KB, a tenth of a common L2
constexpr std::int64_t kBlockLanes = 1024;      // columns of B a task works on, at most
constexpr std::int64_t kFewRows = 48;  // with fewer rows B is not worth packing where its lanes are in order
constexpr std::int64_t kFewTiles = 2;  // with as few tiles of lanes A is not worth packing

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

struct Plan {
  GemmShape shape;
  std::int64_t tile_lanes;   // of a whole tile
  std::int64_t steps;        // of k in a slice, the last may have fewer
  std::int64_t rows, lanes;  // of a task's block of C
  bool pack_a, pack_b;

  explicit Plan(const Gemm& g) : shape{} {
    HWY_DYNAMIC_DISPATCH(gemm_shape)(&shape);
    tile_lanes = shape.vectors * shape.lanes;
    steps = divide_up(g.k, divide_up(g.k, kSteps));
    const std::int64_t tiles = divide_up(g.n, tile_lanes);
    pack_b = g.b_lane != 1 || g.n % shape.lanes != 0 || g.m > kFewRows;
    pack_a = tiles > kFewTiles && !(g.a_row == 1 && g.k <= kSteps);
    // Blocks as square as the caches like, but enough of them for many threads. They depend on the problem
    // alone.
    rows = std::min(divide_up(g.m, shape.rows) * shape.rows, kBlockRows / shape.rows * shape.rows);
    lanes = std::min(tiles * tile_lanes, kBlockLanes / tile_lanes * tile_lanes);
    while (divide_up(g.m, rows) * divide_up(g.n, lanes) < 16 && lanes > 4 * tile_lanes) {
      lanes = divide_up(lanes / tile_lanes, 2) * tile_lanes;
    }
    while (divide_up(g.m, rows) * divide_up(g.n, lanes) < 16 && rows > 2 * shape.rows) {
      rows = divide_up(rows / shape.rows, 2) * shape.rows;
    }
  }
  std::int64_t b_elements(const Gemm& g) const {
    return pack_b ? divide_up(g.n, shape.lanes) * shape.lanes * g.k : 0;
  }
};

// Packs one tile of lanes as [k][width], zeros behind the last lane.
void pack_lanes(const Gemm& g, std::int64_t first, std::int64_t width, std::int64_t begin, std::int64_t end,
                float* packed) {
  const std::int64_t lanes = std::min(width, g.n - first);
  const float* from = g.b + first * g.b_lane + begin * g.b_step;
  float* to = packed + begin * width;
  if (g.b_lane == 1) {
    for (std::int64_t k = begin; k < end; ++k, from += g.b_step, to += width) {
      std::memcpy(to, from, static_cast<std::size_t>(lanes) * sizeof(float));
    }
  } else if (g.b_step == 1) {
    HWY_DYNAMIC_DISPATCH(gemm_transpose)(from, g.b_lane, lanes, end - begin, to, width);
  } else {
    for (std::int64_t k = 0; k < end - begin; ++k) {
      for (std::int64_t l = 0; l < lanes; ++l) to[k * width + l] = from[k * g.b_step + l * g.b_lane];
    }
  }
  if (lanes == width) return;
  for (std::int64_t k = begin; k < end; ++k)
    std::fill(packed + k * width + lanes, packed + (k + 1) * width, 0.0f);
}

// Packs rows [first, first + rows) and steps [k0, k0 + steps) of A as tiles [k][rows of the tile].
void pack_rows(const Gemm& g, const GemmShape& shape, std::int64_t first, std::int64_t rows, std::int64_t k0,
               std::int64_t steps, float* packed) {
  for (std::int64_t r = 0; r < rows; r += shape.rows, packed += shape.rows * steps) {
    const std::int64_t height = std::min(shape.rows, rows - r);
    const float* from = g.a + (first + r) * g.a_row + k0 * g.a_step;
    if (g.a_step == 1) {
      HWY_DYNAMIC_DISPATCH(gemm_transpose)(from, g.a_row, height, steps, packed, height);
    } else {
      for (std::int64_t k = 0; k < steps; ++k) {
        for (std::int64_t i = 0; i < height; ++i) packed[k * height + i] = from[k * g.a_step + i * g.a_row];
      }
    }
  }
}

// A tile that C cannot take as it stands (a partial vector, or lanes that are not neighbours) goes through a
// buffer.
void run_tile(const Gemm& g, GemmTile tile, std::int64_t row, std::int64_t lane, std::int64_t lanes,
              std::int64_t width) {
  float* c = g.c + row * g.c_row + lane * g.c_lane;
  if (g.c_lane == 1 && lanes == width) {
    tile.c = c;
    tile.c_row = g.c_row;
    return HWY_DYNAMIC_DISPATCH(gemm_tile)(&tile);
  }
  alignas(64) float buffer[kMaxTile];
  tile.c = buffer;
  tile.c_row = width;
  if (tile.add) {
    std::fill(buffer, buffer + tile.rows * width, 0.0f);
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      for (std::int64_t l = 0; l < lanes; ++l) buffer[r * width + l] = c[r * g.c_row + l * g.c_lane];
    }
  }
  HWY_DYNAMIC_DISPATCH(gemm_tile)(&tile);
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    for (std::int64_t l = 0; l < lanes; ++l) c[r * g.c_row + l * g.c_lane] = buffer[r * width + l];
  }
}

// One block of C: all slices of k, one after the other.
void run_block(const Gemm& g, const Plan& p, std::int64_t first_row, std::int64_t first_lane,
               const float* packed_b) {
  alignas(64) float packed_a[kBlockRows * kSteps];  // [tile][step][row]
  const std::int64_t rows = std::min(p.rows, g.m - first_row),
                     last_lane = std::min(g.n, first_lane + p.lanes);
  for (std::int64_t k0 = 0; k0 < g.k; k0 += p.steps) {
    const std::int64_t steps = std::min(p.steps, g.k - k0);
    if (p.pack_a) pack_rows(g, p.shape, first_row, rows, k0, steps, packed_a);
    for (std::int64_t lane = first_lane; lane < last_lane; lane += p.tile_lanes) {
      const std::int64_t vectors = divide_up(std::min(p.tile_lanes, g.n - lane), p.shape.lanes);
      const std::int64_t width = vectors * p.shape.lanes, lanes = std::min(width, g.n - lane);
      const float* b = p.pack_b ? packed_b + lane * g.k + k0 * width : g.b + lane + k0 * g.b_step;
      for (std::int64_t r = 0; r < rows; r += p.shape.rows) {
        const std::int64_t height = std::min(p.shape.rows, rows - r);
        GemmTile tile{height,  vectors, steps, nullptr, 0, 0, b, p.pack_b ? width : g.b_step,
                      nullptr, 0,       k0 > 0};
        tile.a = p.pack_a ? packed_a + r * steps : g.a + (first_row + r) * g.a_row + k0 * g.a_step;
        tile.a_row = p.pack_a ? 1 : g.a_row;
        tile.a_step = p.pack_a ? height : g.a_step;
        run_tile(g, tile, first_row + r, lane, lanes, width);
      }
    }
  }
}

}  // namespace

std::size_t gemm_bytes(const Gemm& g) {
  return static_cast<std::size_t>(Plan(g).b_elements(g)) * sizeof(float);
}

void gemm(const Gemm& g, void* workspace) {
  const Plan p(g);
  float* b = static_cast<float*>(workspace);
  if (p.pack_b) {
    const std::int64_t tiles = divide_up(g.n, p.tile_lanes), chunks = divide_up(g.k, kSteps);
    parallel_for(tiles * chunks, [&](std::int64_t i) {
      const std::int64_t lane = i / chunks * p.tile_lanes, begin = i % chunks * kSteps;
      const std::int64_t width = divide_up(std::min(p.tile_lanes, g.n - lane), p.shape.lanes) * p.shape.lanes;
      pack_lanes(g, lane, width, begin, std::min(g.k, begin + kSteps), b + lane * g.k);
    });
  }
  const std::int64_t across = divide_up(g.n, p.lanes);
  parallel_for(divide_up(g.m, p.rows) * across,
               [&](std::int64_t i) { run_block(g, p, i / across * p.rows, i % across * p.lanes, b); });
}

}  // namespace umbra
#endif

// The conversions of convert.h: a matrix is transposed through a tile of shared memory, so that reads and
// writes both run along rows.
#include "bench/peers/convert.h"
#include "cuda_grid.h"

namespace umbra {
namespace {

constexpr unsigned kTile = 32, kTileRows = 8, kThreads = 256;

struct Tile {
  float value[kTile][kTile + 1];  // the extra column spreads a column of the tile over 32 banks
};

// Converts a float to the stored type `To`; TF32 is a float with ten bits of mantissa.
template <class To, bool kTf32>
__device__ To stored(float value) {
  if constexpr (kTf32) return static_cast<To>(round_to_tf32(value));
  return static_cast<To>(value);
}

// The grid has one dimension, because both sides of a matrix may exceed the limit of a grid's second
// dimension.
template <class From, class To, bool kTf32, bool kIn>
__global__ void transpose_tiles(const From* from, To* to, std::int64_t rows, std::int64_t columns,
                                std::int64_t tiles, LiveRows map) {
  Tile& tile = shared_memory<Tile>();
  const std::int64_t first_row = blockIdx.x / tiles * kTile, first_column = blockIdx.x % tiles * kTile;
  for (unsigned i = threadIdx.y; i < kTile; i += kTileRows) {
    const std::int64_t r = first_row + i, c = first_column + threadIdx.x;
    if (r >= rows || c >= columns) continue;
    const std::int64_t row = kIn ? map.live_row(r) : r;
    tile.value[i][threadIdx.x] = row < 0 ? 0.0f : static_cast<float>(from[row * columns + c]);
  }
  __syncthreads();
  for (unsigned i = threadIdx.y; i < kTile; i += kTileRows) {
    const std::int64_t r = first_row + threadIdx.x, c = first_column + i;
    if (r >= rows || c >= columns) continue;
    const std::int64_t row = kIn ? c : map.live_row(c);
    if (row >= 0) to[row * rows + r] = stored<To, kTf32>(tile.value[threadIdx.x][i]);
  }
}

template <class From, class To, bool kTf32>
__global__ void copy_each(const From* from, To* to, std::int64_t count) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) to[i] = stored<To, kTf32>(static_cast<float>(from[i]));
}

template <class To>
__global__ void noise_each(To* to, std::int64_t count, unsigned seed) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  std::uint64_t bits = (static_cast<std::uint64_t>(i) + (std::uint64_t{seed} << 40)) * 0x9e3779b97f4a7c15u;
  bits = (bits ^ (bits >> 29)) * 0xbf58476d1ce4e5b9u;
  to[i] = static_cast<To>(static_cast<float>(bits >> 40) * 0x1p-23f - 1.0f);
}

Grid grid_of_tiles(std::int64_t rows, std::int64_t columns) {
  const std::int64_t tiles = (rows + kTile - 1) / kTile * ((columns + kTile - 1) / kTile);
  return {{static_cast<unsigned>(tiles)}, {kTile, kTileRows}, sizeof(Tile)};
}
Grid grid_of_elements(std::int64_t count) {
  return {{static_cast<unsigned>((count + kThreads - 1) / kThreads)}, {kThreads}};
}
std::int64_t tiles_across(std::int64_t columns) {
  return (columns + kTile - 1) / kTile;
}

// Calls body(typed pointer to the elements of `matrix`).
template <class M, class Body>
void with_elements(const M& matrix, const Body& body) {
  if (matrix.dtype == DType::kBf16) return body(static_cast<const Bf16*>(matrix.data));
  body(static_cast<const float*>(matrix.data));
}
template <class Body>
void with_elements(const Matrix& matrix, const Body& body) {
  if (matrix.dtype == DType::kBf16) return body(static_cast<Bf16*>(matrix.data));
  body(static_cast<float*>(matrix.data));
}

}  // namespace

LiveRows live_rows(const ConvGeometry& g) {
  LiveRows map;
  map.channels = g.in_channels;
  map.all = false;
  for (std::size_t a = 0; a < 3; ++a) {
    map.kernel[a] = static_cast<int>(g.kernel[a]);
    map.live[a] = 0;
    for (std::int64_t t = 0; t < g.kernel[a]; ++t) {
      for (std::int64_t o = 0; o < g.out(static_cast<int>(a)); ++o) {
        const std::int64_t at = o * g.stride[a] - g.padding[a] + t;
        if (at >= 0 && at < g.in[a]) map.live[a] |= std::uint64_t{1} << t;
      }
    }
  }
  return map;
}

void transpose_in(ConstMatrix from, Matrix to, std::int64_t rows, std::int64_t columns, const LiveRows& map,
                  Precision precision, Stream& stream) {
  with_elements(from, [&]<class From>(const From* source) {
    with_elements(to, [&]<class To>(To* target) {
      const auto kernel = precision == Precision::kTf32 ? transpose_tiles<From, To, true, true>
                                                        : transpose_tiles<From, To, false, true>;
      launch(kernel, grid_of_tiles(rows, columns), stream.native(), source, target, rows, columns,
             tiles_across(columns), map);
    });
  });
}

void transpose_out(ConstMatrix from, float* to, std::int64_t rows, std::int64_t columns, const LiveRows& map,
                   Stream& stream) {
  with_elements(from, [&]<class From>(const From* source) {
    launch(transpose_tiles<From, float, false, false>, grid_of_tiles(rows, columns), stream.native(), source,
           to, rows, columns, tiles_across(columns), map);
  });
}

void copy_rounded(ConstMatrix from, Matrix to, std::int64_t count, Precision precision, Stream& stream) {
  with_elements(from, [&]<class From>(const From* source) {
    with_elements(to, [&]<class To>(To* target) {
      const auto kernel =
          precision == Precision::kTf32 ? copy_each<From, To, true> : copy_each<From, To, false>;
      launch(kernel, grid_of_elements(count), stream.native(), source, target, count);
    });
  });
}

void fill_noise(Matrix to, std::int64_t count, unsigned seed, Stream& stream) {
  with_elements(to, [&]<class To>(To* target) {
    launch(noise_each<To>, grid_of_elements(count), stream.native(), target, count, seed);
  });
}

}  // namespace umbra

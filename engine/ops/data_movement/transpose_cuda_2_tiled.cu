// Tiles of 32 x 32 through shared memory: a warp reads a row of the tile and writes a column of it, so that
// both reads and writes are whole 128-byte lines. The tile's rows are 33 apart, which puts the 32 numbers
// of a column into 32 different banks.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/data_movement/transpose_matrices.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

constexpr unsigned kTile = 32, kTileWarps = 8;

struct Tile {
  float at[kTile][kTile + 1];  // [row][column]
};

__global__ void __launch_bounds__(kTile* kTileWarps)
    transpose_tiles(const float* x, float* y, Matrices m, std::int64_t tiles_in_row,
                    std::int64_t tiles_in_matrix) {
  Tile& tile = shared_memory<Tile>();
  const std::int64_t matrix = blockIdx.x / tiles_in_matrix, number = blockIdx.x % tiles_in_matrix;
  const std::int64_t row0 = number / tiles_in_row * kTile, column0 = number % tiles_in_row * kTile;
  const unsigned lane = threadIdx.x % kTile, warp = threadIdx.x / kTile;
  for (unsigned r = warp; r < kTile; r += kTileWarps) {
    if (row0 + r < m.rows && column0 + lane < m.columns) {
      tile.at[r][lane] = x[m.input(row0 + r, matrix, column0 + lane)];
    }
  }
  __syncthreads();
  for (unsigned c = warp; c < kTile; c += kTileWarps) {
    if (column0 + c < m.columns && row0 + lane < m.rows) {
      y[m.output(row0 + lane, matrix, column0 + c)] = tile.at[lane][c];
    }
  }
}

void run(const Transpose& op, Buffers buffers, void*, Stream& stream) {
  const Matrices m = matrices_of(op);
  const std::int64_t tiles_in_row = (m.columns + kTile - 1) / kTile;
  const std::int64_t tiles_in_matrix = (m.rows + kTile - 1) / kTile * tiles_in_row;
  const Grid grid{{static_cast<unsigned>(m.count * tiles_in_matrix)}, {kTile * kTileWarps}, sizeof(Tile)};
  launch(transpose_tiles, grid, stream.native(), buffers.in(0), buffers.out(1), m, tiles_in_row,
         tiles_in_matrix);
}

}  // namespace

Kernel transpose_cuda_2_tiled() {
  return make_kernel<Transpose, run>();
}

}  // namespace umbra

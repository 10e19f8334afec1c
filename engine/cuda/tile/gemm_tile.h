// A block's tile of a matrix product, shared by the tiled rungs. The sums are in registers of 256 threads.
// Both operands pass through shared memory in slices of Shape::kSteps steps along the sum. There are two
// slices: while one is used, the next is loaded from memory into registers, and stored in the other one when
// the sums are done. The Shape defines how products are computed: here in fp32, with 4 x 4 to 8 x 8 sums per
// thread and slices of 16 steps; in mma_tile.h on tensor cores. The caller's Slices define what a slice
// holds:
//
//   bool next();          // moves to the first or next slice; false after the last. The same in all threads
//   int steps() const;    // steps of this slice, 1 … kSteps. The same in all threads
//   bool useful() const;  // false: no product of this slice counts for the warp. The same in its threads
//   void load(ElementA (&a)[kLoadsOfA], ElementB (&b)[kLoadsOfB]) const;  // zeros outside the operands
//
// load()'s j-th number of A is the one at MapA::lane(j) and ::step(j). The map is ByStep or ByLane, whichever
// makes neighbouring threads load from neighbouring addresses.
//
// A warp's sums are 16 or 32 rows x 32 columns (64 in the big tile). Warps outside the matrix skip all
// products.
#pragma once

#include <type_traits>

#include "cuda_grid.h"
#include "engine/cuda/tile/tile_plan.h"

namespace umbra {

inline constexpr int kTileThreads = 256;

/// The place in a slice of kLanes rows (or columns) and kSteps steps of a thread's j-th load: neighbouring
/// threads load neighbouring lanes of one step, and each thread kTogether consecutive steps …
template <int kLanes, int kSteps, int kTogether>
struct ByLane {
  static constexpr bool kAlongSteps = false;
  static constexpr int apart(int j) {  // steps of load j from load 0
    return j / kTogether * (kTileThreads / kLanes * kTogether) + j % kTogether;
  }
  static __device__ int lane(int) { return static_cast<int>(threadIdx.x) % kLanes; }
  static __device__ int step(int j) { return static_cast<int>(threadIdx.x) / kLanes * kTogether + apart(j); }
};
/// … or neighbouring steps of one lane, and each thread kTogether consecutive lanes.
template <int kLanes, int kSteps, int kTogether>
struct ByStep {
  static constexpr bool kAlongSteps = true;
  static constexpr int apart(int j) {  // lanes of load j from load 0
    return j / kTogether * (kTileThreads / kSteps * kTogether) + j % kTogether;
  }
  static __device__ int lane(int j) { return static_cast<int>(threadIdx.x) / kSteps * kTogether + apart(j); }
  static __device__ int step(int) { return static_cast<int>(threadIdx.x) % kSteps; }
};

/// The map of a shape's rows or columns.
template <class Shape, int kLanes, bool kAlongSteps>
using MapOf = std::conditional_t<kAlongSteps, ByStep<kLanes, Shape::kSteps, Shape::kTogether>,
                                 ByLane<kLanes, Shape::kSteps, Shape::kTogether>>;

/// Loads a thread's numbers of a matrix. data[at] is the number of lane(0) and step(0); from there on the
/// matrix has `lanes` lanes and `steps` steps (if not positive, the result is zeros and nothing is read). The
/// pitches are elements from one lane or step to the next. Indices are unsigned because an address then takes
/// two instructions.
template <class Map, int kLoads, class T>
__device__ __forceinline__ void load_lanes(T (&to)[kLoads], const T* data, unsigned at, int lanes, int steps,
                                           int lane_pitch, int step_pitch) {
  constexpr bool kByStep = Map::kAlongSteps;
  const int left = (kByStep ? steps : lanes) > 0 ? (kByStep ? lanes : steps) : 0;
  const unsigned pitch = static_cast<unsigned>(kByStep ? lane_pitch : step_pitch);
#pragma unroll
  for (int j = 0; j < kLoads; ++j) {
    to[j] = Map::apart(j) < left ? data[at + static_cast<unsigned>(Map::apart(j)) * pitch] : T{};
  }
}

template <class Shape, class MapA, class MapB>
struct TileSlices;

/// Template arguments: rows and columns of a thread, rows of threads in a warp, rows of warps in the block.
template <Tile kTile_, int kThreadRows_, int kThreadColumns_, int kLaneRows, int kWarpRows>
struct TileShape {
  static constexpr Tile kTile = kTile_;
  static constexpr int kThreadRows = kThreadRows_, kThreadColumns = kThreadColumns_;
  static constexpr int kLaneColumns = 32 / kLaneRows, kWarpColumns = kTileThreads / 32 / kWarpRows;
  static constexpr int kRowsOfWarp = kThreadRows * kLaneRows, kColumnsOfWarp = kThreadColumns * kLaneColumns;
  static constexpr int kRows = kRowsOfWarp * kWarpRows, kColumns = kColumnsOfWarp * kWarpColumns;
  static constexpr bool kRounds = false;  // whether operands are rounded before the multiplication
  static constexpr int kSteps = kTileSteps, kTogether = 1;
  static constexpr int kLoadsOfA = kRows * kSteps / kTileThreads;
  static constexpr int kLoadsOfB = kColumns * kSteps / kTileThreads;
  static constexpr int kBlocksOfSm =
      kThreadRows * kThreadColumns > 32 ? 1 : 2;  // a minimum, which bounds the registers
  static_assert(kRows == rows_of(kTile) && kColumns == columns_of(kTile));
  using Sums = float[kThreadRows][kThreadColumns];
  template <class MapA, class MapB>
  using Slices = TileSlices<TileShape, MapA, MapB>;  // in shared memory

  static __device__ int warp_row() { return static_cast<int>(threadIdx.x) / 32 / kWarpColumns * kRowsOfWarp; }
  static __device__ int warp_column() {
    return static_cast<int>(threadIdx.x) / 32 % kWarpColumns * kColumnsOfWarp;
  }
  /// The first of the thread's rows g, …, g + 3 (g = 0 or 4) in the tile, and of its columns. The fours of
  /// neighbouring threads are contiguous.
  static __device__ int row_of(int g) {
    return warp_row() + (g * kLaneRows) + static_cast<int>(threadIdx.x) % 32 / kLaneColumns * 4;
  }
  static __device__ int column_of(int g) {
    return warp_column() + (g * kLaneColumns) + static_cast<int>(threadIdx.x) % 32 % kLaneColumns * 4;
  }

  /// Calls body(row, column, four contiguous sums) with the row and column of the first sum in the tile. All
  /// lanes of a warp call it.
  template <class Body>
  static __device__ __forceinline__ void for_each_four(const Sums& sums, const Body& body) {
#pragma unroll
    for (int g = 0; g < kThreadRows; g += 4) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int h = 0; h < kThreadColumns; h += 4) {
          const float* four = sums[g + i] + h;
          body(row_of(g) + i, column_of(h), make_float4(four[0], four[1], four[2], four[3]));
        }
      }
    }
  }
};
using SmallTile = TileShape<Tile::kSmall, 4, 4, 4, 4>;
using TallTile = TileShape<Tile::kTall, 8, 4, 4, 4>;
using WideTile = TileShape<Tile::kWide, 4, 8, 8, 2>;
using BigTile = TileShape<Tile::kBig, 8, 8, 4, 4>;

/// A multiplier: the shapes themselves, in fp32, or tensor cores (mma_tile.h).
struct Fp32Multiplier {
  template <class Shape>
  using Of = Shape;
  static constexpr int kSteps = kTileSteps;
};

/// Calls `body` with an object of the multiplier's shape for a tile; kBig: including big tiles.
template <class Multiplier, bool kBig = true, class Body>
void with_tile_shape(Tile tile, const Body& body) {
  switch (tile) {
    case Tile::kSmall:
      return body(typename Multiplier::template Of<SmallTile>());
    case Tile::kTall:
      return body(typename Multiplier::template Of<TallTile>());
    case Tile::kWide:
      return body(typename Multiplier::template Of<WideTile>());
    case Tile::kBig:
      if constexpr (kBig) body(typename Multiplier::template Of<BigTile>());
  }
}

/// sums += the outer product of a step's rows and columns.
template <class Shape>
__device__ __forceinline__ void add_product(typename Shape::Sums& sums, const float* a, const float* b) {
  float rows[Shape::kThreadRows], columns[Shape::kThreadColumns];
#pragma unroll
  for (int g = 0; g < Shape::kThreadRows; g += 4) {
    const float4 four = *reinterpret_cast<const float4*>(a + Shape::row_of(g));
    rows[g] = four.x, rows[g + 1] = four.y, rows[g + 2] = four.z, rows[g + 3] = four.w;
  }
#pragma unroll
  for (int g = 0; g < Shape::kThreadColumns; g += 4) {
    const float4 four = *reinterpret_cast<const float4*>(b + Shape::column_of(g));
    columns[g] = four.x, columns[g + 1] = four.y, columns[g + 2] = four.z, columns[g + 3] = four.w;
  }
#pragma unroll
  for (int i = 0; i < Shape::kThreadRows; ++i) {
#pragma unroll
    for (int j = 0; j < Shape::kThreadColumns; ++j) sums[i][j] += rows[i] * columns[j];
  }
}

/// The two slices in shared memory, and their multiplication. Four extra floats per step keep groups of four
/// aligned and spread steps over banks.
template <class Shape, class MapA, class MapB>
struct TileSlices {
  alignas(16) float a[2][kTileSteps][Shape::kRows + 4];
  alignas(16) float b[2][kTileSteps][Shape::kColumns + 4];

  __device__ __forceinline__ void put(int which, const float (&from_a)[Shape::kLoadsOfA],
                                      const float (&from_b)[Shape::kLoadsOfB]) {
#pragma unroll
    for (int j = 0; j < Shape::kLoadsOfA; ++j) a[which][MapA::step(j)][MapA::lane(j)] = from_a[j];
#pragma unroll
    for (int j = 0; j < Shape::kLoadsOfB; ++j) b[which][MapB::step(j)][MapB::lane(j)] = from_b[j];
  }
  /// sums += the products of `steps` steps; the steps after the last hold zeros.
  __device__ __forceinline__ void add_products(typename Shape::Sums& sums, int which, int steps) const {
    for (int step = 0; step < steps; step += 4) {
#pragma unroll
      for (int s = 0; s < 4; ++s) add_product<Shape>(sums, a[which][step + s], b[which][step + s]);
    }
  }
};

/// For add_slices: ignores what a thread loads of A.
struct NobodyWatches {
  template <class Loads>
  __device__ void operator()(const Loads&) const {}
};

/// sums += the products of all slices, in order; watch(a) is called with the numbers of A of every slice that
/// this thread loaded. All threads of the block must call it.
template <class Shape, class Memory, class Slices, class Watch = NobodyWatches>
__device__ __forceinline__ void add_slices(typename Shape::Sums& sums, Memory& shared, Slices& slices,
                                           const Watch& watch = {}) {
  typename Slices::ElementA a[Shape::kLoadsOfA];
  typename Slices::ElementB b[Shape::kLoadsOfB];
  const auto put = [&](int which) {
    watch(a);
    shared.put(which, a, b);
    __syncthreads();
  };
  bool more = slices.next();
  if (!more) return;
  slices.load(a, b);
  put(0);
  for (int which = 0; more; which ^= 1) {
    const int steps = slices.useful() ? slices.steps() : 0;
    more = slices.next();
    if (more) slices.load(a, b);
    shared.add_products(sums, which, steps);
    if (more) put(which ^ 1);  // last used before the last barrier
  }
}

/// Stores up to `count` numbers; `fours`: groups of four start at a multiple of 16 bytes.
__device__ inline void store_four(float* to, const float4& four, int count, bool fours) {
  if (fours && count >= 4) {
    *reinterpret_cast<float4*>(to) = four;
    return;
  }
  const float each[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    if (j < count) to[j] = each[j];
  }
}

/// Calls epilogue.put(i, sum) with the sum of the parts of output i, added in order. from: [parts][outputs].
template <class Epilogue>
__global__ void __launch_bounds__(128)
    add_parts(const float* from, int parts, int outputs, Epilogue epilogue) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= outputs) return;
  float sum = from[i];
  for (int p = 1; p < parts; ++p) sum += from[static_cast<std::int64_t>(p) * outputs + i];
  epilogue.put(i, sum);
}

/// Starts add_parts if the plan has more than one part.
template <class Epilogue>
void launch_add_parts(const TilePlan& plan, const void* from, std::int64_t outputs, const Epilogue& epilogue,
                      void* stream) {
  if (plan.parts == 1) return;
  launch(add_parts<Epilogue>, {{static_cast<unsigned>(ceil_div(outputs, 128))}, {128}}, stream,
         static_cast<const float*>(from), plan.parts, static_cast<int>(outputs), epilogue);
}

/// The grid of a plan: tiles, rows fastest, times parts.
inline Grid grid_of_tiles(const TilePlan& plan, std::size_t shared) {
  return {{static_cast<unsigned>(plan.tiles()), static_cast<unsigned>(plan.parts)}, {kTileThreads}, shared};
}

}  // namespace umbra

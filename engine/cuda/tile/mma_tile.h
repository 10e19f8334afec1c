// The tiles of gemm_tile.h, multiplied on tensor cores (mma.sync, compute capability 8.0 on). Blocks, tiles,
// warps, slices and the use of the sums are the same. The differences:
//
//   - operands are rounded to TF32 or BF16, to nearest, when they are stored in shared memory;
//   - a slice has 16 words along the sum, each one TF32 number or two BF16 numbers: 16 or 32 steps;
//   - a warp's sums are pieces of 16 x 8, four of each in a thread, and one instruction adds the products of
//     8 words to a piece: 1024 or 2048 multiply-adds.
//
// A warp's 32 x 64 sums (big tile) take 16 instructions per 8 words, for which it reads 24 times 32 words.
// Shared memory, which delivers 32 words per clock, therefore limits this rung, so bank conflicts must be
// avoided: both orders of slices (mma_places.h) read and write 32 banks at a time.
#pragma once

#include "engine/base/dtype.h"
#include "engine/cuda/tile/gemm_tile.h"
#include "engine/cuda/tile/mma_places.h"
#include "mma.h"

namespace umbra {

template <class Shape, class MapA, class MapB>
struct MmaSlices;

/// Has the tile and the warps of another shape.
template <class Base, Precision kPrecision_>
struct MmaShape : Base {
  static constexpr Precision kPrecision = kPrecision_;
  static constexpr bool kRounds = true;
  static constexpr int kTogether = kPrecision == Precision::kBf16 ? 2 : 1;  // numbers of a word
  static constexpr int kSteps = kMmaSliceWords * kTogether;
  static constexpr int kLoadsOfA = Base::kRows * kSteps / kTileThreads;
  static constexpr int kLoadsOfB = Base::kColumns * kSteps / kTileThreads;
  static constexpr int kPieceRows = Base::kRowsOfWarp / kMmaRows;
  static constexpr int kPieceColumns = Base::kColumnsOfWarp / kMmaColumns;
  using Sums = float[kPieceRows][kPieceColumns][4];
  template <class MapA, class MapB>
  using Slices = MmaSlices<MmaShape, MapA, MapB>;

  /// Like TileShape's. A thread has two contiguous sums in each of two rows, its neighbour the next two of
  /// both rows; they exchange sums so that each has four in one row.
  template <class Body>
  static __device__ __forceinline__ void for_each_four(const Sums& sums, const Body& body) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const bool odd = lane % 2 != 0;
    const int row = Base::warp_row() + mma_d_place(lane, odd ? 2 : 0).row;
    const int column = Base::warp_column() + mma_d_place(lane, 0).column / 4 * 4;
#pragma unroll
    for (int i = 0; i < kPieceRows; ++i) {
#pragma unroll
      for (int j = 0; j < kPieceColumns; ++j) {
        const float* d = sums[i][j];
        const float x = __shfl_xor_sync(kFullWarp, odd ? d[0] : d[2], 1);
        const float y = __shfl_xor_sync(kFullWarp, odd ? d[1] : d[3], 1);
        body(row + i * kMmaRows, column + j * kMmaColumns,
             odd ? make_float4(x, y, d[2], d[3]) : make_float4(d[0], d[1], x, y));
      }
    }
  }
};

template <Precision kPrecision>
struct MmaMultiplier {
  template <class Base>
  using Of = MmaShape<Base, kPrecision>;
  static constexpr int kSteps = Of<SmallTile>::kSteps;
};

/// Steps of a slice.
inline int mma_steps(Precision precision) {
  return precision == Precision::kTf32 ? MmaMultiplier<Precision::kTf32>::kSteps
                                       : MmaMultiplier<Precision::kBf16>::kSteps;
}
/// Calls `body` with the multiplier of a precision that rounds …
template <class Body>
void with_mma(Precision precision, const Body& body) {
  if (precision == Precision::kTf32) return body(MmaMultiplier<Precision::kTf32>());
  body(MmaMultiplier<Precision::kBf16>());
}
/// … and with a pointer to weights, which may be stored as BF16 if the precision is BF16.
template <class Body>
void with_mma_and_weights(Precision precision, DType weights, const void* w, const Body& body) {
  if (weights == DType::kBf16) return body(MmaMultiplier<Precision::kBf16>(), static_cast<const Bf16*>(w));
  with_mma(precision, [&](auto multiplier) { body(multiplier, static_cast<const float*>(w)); });
}

/// Two numbers as a pair of BF16.
__device__ __forceinline__ unsigned bf16_pair(float low, float high) {
  return to_bf16x2(low, high);
}
__device__ __forceinline__ unsigned bf16_pair(Bf16 low, Bf16 high) {
  return low.bits | static_cast<unsigned>(high.bits) << 16;
}

/// One operand's slice.
template <class Shape, class Map, int kLines>
struct MmaSlice {
  using Order = std::conditional_t<Map::kAlongSteps, WordsByStep<kLines>, WordsByLine<kLines>>;
  unsigned words[Order::kSize];

  template <int kLoads, class T>
  __device__ __forceinline__ void put(const T (&from)[kLoads]) {
    if constexpr (Shape::kPrecision == Precision::kTf32) {
#pragma unroll
      for (int j = 0; j < kLoads; ++j) words[Order::at(Map::lane(j), Map::step(j))] = to_tf32(from[j]);
    } else {
#pragma unroll
      for (int j = 0; j < kLoads; j += 2) {
        unsigned pair = bf16_pair(from[j], from[j + 1]);
        int lane = Map::lane(j);
        if constexpr (Map::kAlongSteps) {  // of two lanes: the neighbour has those of the other step
          const unsigned other = __shfl_xor_sync(kFullWarp, pair, 1);
          const bool odd = threadIdx.x % 2 != 0;
          pair = odd ? other >> 16 | (pair & 0xffff0000u) : (pair & 0xffffu) | other << 16;
          lane += odd ? 1 : 0;
        }
        words[Order::at(lane, Map::step(j) / 2)] = pair;
      }
    }
  }
};

template <class Shape, class MapA, class MapB>
struct MmaSlices {
  MmaSlice<Shape, MapA, Shape::kRows> a[2];
  MmaSlice<Shape, MapB, Shape::kColumns> b[2];

  template <class A, class B>
  __device__ __forceinline__ void put(int which, const A& from_a, const B& from_b) {
    a[which].put(from_a);
    b[which].put(from_b);
  }

  /// sums += the products of `steps` steps; the steps after the last hold zeros.
  __device__ __forceinline__ void add_products(typename Shape::Sums& sums, int which, int steps) const {
    using OrderA = typename MmaSlice<Shape, MapA, Shape::kRows>::Order;
    using OrderB = typename MmaSlice<Shape, MapB, Shape::kColumns>::Order;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (int word = 0; word * Shape::kTogether < steps; word += kMmaWords) {
      unsigned rows[Shape::kPieceRows][4], columns[Shape::kPieceColumns][2];
#pragma unroll
      for (int p = 0; p < Shape::kPieceRows; ++p) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const MmaOperandPlace at = mma_a_place(lane, i);
          rows[p][i] = a[which].words[OrderA::at(Shape::warp_row() + p * kMmaRows + at.line, word + at.word)];
        }
      }
#pragma unroll
      for (int p = 0; p < Shape::kPieceColumns; ++p) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const MmaOperandPlace at = mma_b_place(lane, i);
          columns[p][i] =
              b[which].words[OrderB::at(Shape::warp_column() + p * kMmaColumns + at.line, word + at.word)];
        }
      }
      mma_pieces<Shape::kPrecision>(sums, rows, columns);
    }
  }
};

}  // namespace umbra

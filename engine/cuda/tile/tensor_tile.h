// A tile of the tensor rungs (tensor_product.h): its shape, the layout of a slice's operands in shared
// memory, and the list of tiles.
//
// A stage of shared memory holds one slice's operands as wgmma reads them:
//
//   W   a row of 128 (or 64) bytes along the sum per j, swizzled over the width of a row; in bfloat16 also
//       blocks with a row of 64 contiguous j per step, if W is packed as [step][j]
//   X   a row of 128 (or 64) bytes along the sum per sample, 32 rows per unit, units one after the other
//
// Swizzling permutes the 16-byte pieces of a row by the row's number in its group of 8, so that the same
// piece of eight rows, which tensor cores read at once, is in different banks.
#pragma once

#include "engine/cuda/tile/operand_layout.h"
#include "engine/cuda/tile/tensor_product.h"
#include "mbarrier.h"

namespace umbra {

inline constexpr int kWarpgroup = 128;
inline constexpr int kMultipliers = 2;  // warpgroups that multiply

template <Precision kPrecision_, TensorShape kShape, Major kMajorW_, int kRowBytes_>
struct TensorTile {
  static constexpr Precision kPrecision = kPrecision_;
  static constexpr Major kMajorW = kMajorW_;
  static constexpr bool kUnitsOnM = units_on_m(kShape);
  static constexpr bool kOnlyPairs = kPrecision == Precision::kBf16 && kRowBytes_ == 64;
  static constexpr bool kOnlyTaps = !kUnitsOnM || (kPrecision == Precision::kBf16 && !kOnlyPairs);
  static constexpr int kUnits = units_of(kShape), kRows = rows_of(kShape), kRowBytes = kRowBytes_;
  static constexpr int kElementBytes = kPrecision == Precision::kBf16 ? 2 : 4;
  static constexpr int kSteps = kRowBytes / kElementBytes;  // of a slice
  static constexpr int kOneSteps = 32 / kElementBytes;      // of one wgmma
  static constexpr Swizzle kSwizzle = kRowBytes == 128 ? Swizzle::k128 : Swizzle::k64;
  static constexpr int kBlockRows = 64, kBlockBytes = kBlockRows * 2 * kSteps;  // of W along rows
  static constexpr int kBlocks = (kRows + kBlockRows - 1) / kBlockRows;
  static constexpr int kWBytes = kMajorW == Major::kK ? kRows * kRowBytes : kBlocks * kBlockBytes;
  static constexpr int kWarpgroupWBytes = kMajorW == Major::kK ? kBlockRows * kRowBytes : kBlockBytes;
  static constexpr int kUnitBytes = kUnitSamples * kRowBytes;
  static constexpr int kStageBytes = kWBytes + kUnits * kUnitBytes;
  static constexpr int kSums = kUnitsOnM ? kRows / 2 : kUnits * kUnitSums;  // of a thread
  static constexpr unsigned kAllUnits = (1u << kUnits) - 1;
  static constexpr int kMostStageBytes = 192 << 10;
  static constexpr int kStages = kMostStageBytes / kStageBytes < 8 ? kMostStageBytes / kStageBytes : 8;
  static_assert(kStages >= 3);
  static_assert(kMajorW == Major::kK || (kPrecision == Precision::kBf16 && kRowBytes == 128));
  static_assert(kStageBytes % 1024 == 0 || kSwizzle == Swizzle::k64);
  static_assert(kStageBytes % 512 == 0 && kWBytes % 512 == 0);
};

/// The first sample of a unit within its position.
__device__ constexpr int first_sample(const TensorWalk& walk, int unit) {
  return unit % walk.blocks * kUnitSamples;
}
/// Whether slices are pairs of positions: known when the kernel is compiled, except for the rows of TF32.
template <class Tile>
__device__ constexpr bool is_of_pairs(const TensorWalk& walk) {
  return Tile::kOnlyPairs || (!Tile::kOnlyTaps && walk.pairs);
}
/// Whether all units of a tile are in one box of X, because X has one position for all of them and their
/// samples follow one another. Otherwise a box has one unit.
template <class Tile>
__device__ constexpr bool x_is_one_box(const TensorWalk& walk) {
  return Tile::kOnlyPairs || walk.positions == 1;
}
/// The units in a box of X: if it has all of a tile, as many as the result has, in twos if two are multiplied at
/// once. Of pairs always all, a constant: their producer has no clock to spare.
template <class Tile>
__device__ constexpr int units_of_box(const TensorWalk& walk) {
  if (Tile::kOnlyPairs) return Tile::kUnits;
  if (!x_is_one_box<Tile>(walk)) return 1;
  const int units = walk.units() < Tile::kUnits ? walk.units() : Tile::kUnits;
  return Tile::kUnitsOnM ? (units + 1) / 2 * 2 : units;
}

inline constexpr int kNoRow = -256;  // all rows of a box that starts here are before the first one: zeros

/// An entry of the list of taps: what a slice copies and multiplies.
template <class Tile>
struct alignas(16) TensorTap {
  int row[Tile::kUnits];  // of each box of X: its first row, or kNoRow
  int tap;                // its number among the live taps
  unsigned mask;          // bit u: it touches data for unit u
  unsigned boxes;         // of X that are copied, as bits
  unsigned bytes;         // of a slice, W's included
};

template <class Tile>
struct TensorShared {
  alignas(1024) unsigned char stage[Tile::kStages][Tile::kStageBytes];
  Barrier full[Tile::kStages], empty[Tile::kStages];
  float2 scales[Tile::kRows];
  int first_slice, end_slice;   // of the block's part
  int clocks[kMostTensorTaps];  // of a slice of each live tap; 0: it touches no data
  TensorTap<Tile> tap[kMostTensorTaps];
};

struct TensorArguments {
  TensorWalk walk;
  TensorEpilogue epilogue;
  int row_tiles, unit_tiles;
  bool twos;     // pairs of neighbours in the result and the parts start at multiples of 8 bytes
  float* parts;  // [gridDim.y][outputs], or null
  std::int64_t outputs;
  TensorBlocks blocks;
};
static_assert(sizeof(TensorArguments) + 2 * sizeof(TensorMap) <= 4096, "parameters of a launch");

/// The tile of this block and its part of the tile's slices.
struct TileAt {
  int row0, unit0, result, part, parts;
};
template <class Tile>
__device__ TileAt tile_of_block(const TensorArguments& a) {
  const TensorBlock block =
      a.blocks.at(static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), static_cast<int>(gridDim.y));
  const TilePlace place = place_of_tile(block.tile, a.row_tiles, a.unit_tiles);
  return {place.row * Tile::kRows, place.unit * Tile::kUnits, place.result, block.part, block.parts};
}

/// The clocks of a slice that touches data for these units: of its multiplications, of its bytes, or of its
/// instructions, by the model of tools/sass. They decide where parts of a tile's slices begin, and so in which order a
/// sum is added: with other numbers results of real numbers differ by rounding.
template <class Tile>
constexpr int slice_clocks(unsigned mask) {
  constexpr int kInstructions = 400;  // of a multiplying warpgroup (tools/sass)
  constexpr int kBytesInAClock = 48;  // from the L2 cache to one of many multiprocessors
  constexpr int kColumns = Tile::kUnitsOnM ? Tile::kRows : kUnitSamples;
  constexpr int kOne = kColumns / 2 > (64 + kColumns) / 4 ? kColumns / 2 : (64 + kColumns) / 4;
  const int twos = ((mask & 3u) != 0 ? 1 : 0) + ((mask & 12u) != 0 ? 1 : 0);
  const int units = Tile::kUnitsOnM ? 2 * twos : size_of_set(mask);
  const int products = Tile::kUnitsOnM ? twos : kMultipliers * units;
  const int multiplying = products * (Tile::kSteps / Tile::kOneSteps) * kOne;
  const int copying = (Tile::kWBytes + units * Tile::kUnitBytes) / kBytesInAClock;
  const int longer = multiplying > copying ? multiplying : copying;
  return longer > kInstructions ? longer : kInstructions;
}

// ---- the list of tiles, for launches ----

template <class Tile>
struct TileTag {
  using Type = Tile;
};

/// Calls body(TileTag<Tile>()) with the tile of a product of that shape.
template <TensorShape kShape, class Body>
void with_tensor_tile(const TensorProduct& product, const Body& body) {
  if (product.precision == Precision::kTf32) {
    body(TileTag<TensorTile<Precision::kTf32, kShape, Major::kK, 128>>());
  } else if (product.walk.pairs) {
    if constexpr (units_on_m(kShape)) body(TileTag<TensorTile<Precision::kBf16, kShape, Major::kK, 64>>());
  } else if (product.w_along_rows) {
    body(TileTag<TensorTile<Precision::kBf16, kShape, Major::kMN, 128>>());
  } else {
    body(TileTag<TensorTile<Precision::kBf16, kShape, Major::kK, 128>>());
  }
}

/// The tensor maps of the packed operands in boxes of a tile.
template <class Tile>
TensorMapSpec boxes_of_w(const TensorLaunch& launch) {
  return Tile::kMajorW == Major::kK ? boxes_of(launch.w, Tile::kSteps, Tile::kRows)
                                    : boxes_of(launch.w, Tile::kBlockRows, Tile::kSteps);
}
template <class Tile>
TensorMapSpec boxes_of_x(const TensorLaunch& launch) {
  PackedOperand rows = launch.x;  // of all positions, one after the other
  rows.rows *= rows.outer;
  rows.outer = 1;
  return boxes_of(rows, Tile::kSteps, units_of_box<Tile>(launch.product.walk) * kUnitSamples);
}

TensorArguments tensor_arguments(const TensorLaunch& launch);
inline Grid tensor_grid(const TensorLaunch& launch, int threads, std::size_t shared) {
  return {{static_cast<unsigned>(launch.plan.columns()), static_cast<unsigned>(launch.plan.parts)},
          {static_cast<unsigned>(threads)},
          shared};
}

}  // namespace umbra

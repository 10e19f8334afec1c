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

template <class Tile>
struct TensorTap {
  int tap;                 // its number among the live taps
  unsigned mask;           // bit u: it touches data for unit u
  int from[Tile::kUnits];  // the position that it reads, or -1
};

template <class Tile>
struct TensorShared {
  alignas(1024) unsigned char stage[Tile::kStages][Tile::kStageBytes];
  Barrier full[Tile::kStages], empty[Tile::kStages];
  float2 scales[Tile::kRows];
  int taps;
  unsigned masks[kMostTensorTaps];
  TensorTap<Tile> tap[kMostTensorTaps];
};

struct TensorArguments {
  TensorWalk walk;
  TensorEpilogue epilogue;
  int row_tiles, unit_tiles;
  bool twos;     // pairs of neighbours in the result and the parts start at multiples of 8 bytes
  float* parts;  // [gridDim.y][outputs], or null
  std::int64_t outputs;
};
static_assert(sizeof(TensorArguments) + 2 * sizeof(TensorMap) <= 4096, "parameters of a launch");

/// The tile of this block. Eight tiles of rows follow each other before the next units, so that blocks that
/// run at the same time share operands in the L2 cache.
struct TileAt {
  int row0, unit0, result;
};
template <class Tile>
__device__ TileAt tile_of_block(const TensorArguments& a) {
  constexpr int kSideBySide = 8;
  const int tiles = a.row_tiles * a.unit_tiles, block = static_cast<int>(blockIdx.x);
  const int result = block / tiles, at = block - result * tiles;
  const int group = at / (kSideBySide * a.unit_tiles), first = group * kSideBySide;
  const int wide = a.row_tiles - first < kSideBySide ? a.row_tiles - first : kSideBySide;
  const int within = at - first * a.unit_tiles;
  return {(first + within % wide) * Tile::kRows, within / wide * Tile::kUnits, result};
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
  return boxes_of(launch.x, Tile::kSteps, kUnitSamples);
}

TensorArguments tensor_arguments(const TensorLaunch& launch);
inline Grid tensor_grid(const TensorLaunch& launch, int threads, std::size_t shared) {
  return {{static_cast<unsigned>(launch.plan.tiles()), static_cast<unsigned>(launch.plan.parts)},
          {static_cast<unsigned>(threads)},
          shared};
}

}  // namespace umbra

// What the kernels of the tensor rungs share (tensor_product.h): a tile's shape, the list of its slices,
// where a slice's operands stand in shared memory, their multiplication by a warpgroup, and what becomes of
// sums.
//
// A stage of shared memory holds one slice's operands as wgmma reads them:
//
//   W   a row of 128 (or 64) bytes along the sum per j, swizzled over as much; in bfloat16 also blocks of 64
//   j
//       side by side in a row per step, where the image is [step][j]
//   X   a row of 128 (or 64) bytes along the sum per sample, 32 rows per unit, units one after the other
//
// Swizzling moves the 16-byte pieces of a row by the row's number in its group of 8, so that eight rows of
// one piece, which tensor cores read at once, lie in different banks.
#pragma once

#include "engine/cuda/operand_layout.h"
#include "engine/cuda/tensor_product.h"
#include "mbarrier.h"
#include "wgmma.h"

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
  static constexpr int kSums = kUnitsOnM ? kRows / 2 : kUnits * 16;  // of a thread
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
  int tap;                 // its number among the live ones
  unsigned mask;           // bit u: it touches data for unit u
  int from[Tile::kUnits];  // where, or -1
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
  TensorFinish finish;
  int row_tiles, unit_tiles;
  bool twos;     // the result's and the parts' pairs of neighbours start at multiples of 8 bytes
  float* parts;  // [gridDim.y][outputs], or null
  std::int64_t outputs;
};
static_assert(sizeof(TensorArguments) + 2 * sizeof(TensorMap) <= 4096, "parameters of a launch");

/// Which tile is this block's. Eight tiles of rows go side by side before the next units, so that blocks that
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

/// Writes the list of the taps that touch data for any of the tile's units, in order. All threads call it and
/// wait for each other behind it.
template <class Tile>
__device__ void list_taps(const TensorWalk& walk, const TileAt& at, TensorShared<Tile>& shared) {
  if (walk.pairs) return;
  const TapBox live = walk.map.live();
  const int count = live.count(), t = static_cast<int>(threadIdx.x), units = walk.units();
  TensorTap<Tile> mine{t, 0, {}};
  if (t < count) {
    const Place tap = live.at(t);
#pragma unroll
    for (int u = 0; u < Tile::kUnits; ++u) {
      const int unit = at.unit0 + u;
      mine.from[u] = -1;
      if (unit >= units) continue;
      const int position = walk.position(unit);
      mine.from[u] = walk.dgrad ? walk.map.output_of(walk.map.input_place(position), tap)
                                : walk.map.input_of(walk.map.output_place(position), tap);
      if (mine.from[u] >= 0) mine.mask |= 1u << u;
    }
    shared.masks[t] = mine.mask;
  }
  __syncthreads();
  int before = 0;
  for (int other = 0; other < (t < count ? t : 0); ++other) before += shared.masks[other] != 0 ? 1 : 0;
  if (t < count && mine.mask != 0) shared.tap[before] = mine;
  if (t == count - 1) shared.taps = before + (mine.mask != 0 ? 1 : 0);
  if (count == 0 && t == 0) shared.taps = 0;
}

/// A part of the tile's slices, one after the other.
template <class Tile>
class TensorSlices {
 public:
  __device__ TensorSlices(const TensorArguments& a, const TileAt& at, const TensorShared<Tile>& shared)
      : walk_(a.walk), shared_(shared), chunks_(ceil_div(a.walk.depth, Tile::kSteps)) {
    int entries = shared.taps;
    if (walk_.pairs) {
      tap_ = walk_.map.live().at(at.result);
      box_ = {walk_.map.d.outputs_of_tap(tap_.d), walk_.map.h.outputs_of_tap(tap_.h),
              walk_.map.w.outputs_of_tap(tap_.w)};
      entries = box_.count();
      const int units = walk_.units() - at.unit0;
      mask_ = units >= Tile::kUnits ? Tile::kAllUnits : (1u << units) - 1;
    }
    const int parts = static_cast<int>(gridDim.y), part = static_cast<int>(blockIdx.y);
    const int all = entries * chunks_, first = first_slice(all, part, parts);
    left_ = first_slice(all, part + 1, parts) - first;
    entry_ = first / chunks_;
    chunk_ = first - entry_ * chunks_;
  }
  __device__ bool more() const { return left_ > 0; }
  __device__ void next() {
    --left_;
    if (++chunk_ < chunks_) return;
    chunk_ = 0;
    ++entry_;
  }
  __device__ int first_step() const { return chunk_ * Tile::kSteps; }
  /// How many wgmma the slice needs for its steps.
  __device__ int multiplications() const {
    const int left = walk_.depth - first_step();
    return ((left < Tile::kSteps ? left : Tile::kSteps) + Tile::kOneSteps - 1) / Tile::kOneSteps;
  }
  /// Units for which the slice touches data.
  __device__ unsigned mask() const { return walk_.pairs ? mask_ : shared_.tap[entry_].mask; }
  /// Where W's matrix and the unit's stand in their images; -1: nowhere, zeros.
  __device__ int outer_w() const {
    return walk_.pairs ? number_of(pair(), walk_.map.h.out, walk_.map.w.out) : shared_.tap[entry_].tap;
  }
  __device__ int outer_x(int unit) const {
    return walk_.pairs ? walk_.map.input_of(pair(), tap_) : shared_.tap[entry_].from[unit];
  }

 private:
  static __device__ int number_of(const Place& p, int height, int width) {
    return (p.d * height + p.h) * width + p.w;
  }
  __device__ Place pair() const { return box_.at(entry_); }

  const TensorWalk& walk_;
  const TensorShared<Tile>& shared_;
  const int chunks_;
  Place tap_{};
  Box box_{};
  unsigned mask_ = 0;
  int left_, entry_, chunk_;
};

/// Units whose operands a slice needs in shared memory: with units on M, two units are multiplied at once.
template <class Tile>
__device__ unsigned units_needed(unsigned mask) {
  if constexpr (!Tile::kUnitsOnM) return mask;
  const unsigned even = mask & 0x55555555u, odd = mask & 0xaaaaaaaau;
  return mask | even << 1 | odd >> 1;
}
__device__ constexpr int bits_set(unsigned set) {
  int count = 0;
  for (; set != 0; set &= set - 1) ++count;
  return count;
}

/// Calls box(where in the stage, columns of the box, rows of the box, is it W's, c0, c1, c2) for every box of
/// the slice.
template <class Tile, class Body>
__device__ void for_each_box(const TensorSlices<Tile>& slices, const TensorWalk& walk, const TileAt& at,
                             const Body& body) {
  const int step = slices.first_step(), w = slices.outer_w();
  if constexpr (Tile::kMajorW == Major::kK) {
    body(0, true, step, at.row0, w);
  } else {
#pragma unroll
    for (int b = 0; b < Tile::kBlocks; ++b)
      body(b * Tile::kBlockBytes, true, at.row0 + b * Tile::kBlockRows, step, w);
  }
  const unsigned needed = units_needed<Tile>(slices.mask());
#pragma unroll
  for (int u = 0; u < Tile::kUnits; ++u) {
    if ((needed >> u & 1u) == 0) continue;
    body(Tile::kWBytes + u * Tile::kUnitBytes, false, step, (at.unit0 + u) % walk.blocks * kUnitSamples,
         slices.outer_x(u));
  }
}

/// Starts the copies of a slice into a stage; the barrier then waits for this one arrival and for the bytes.
template <class Tile>
__device__ void fetch_slice(unsigned char* stage, Barrier& full, const TensorMap& w, const TensorMap& x,
                            const TensorSlices<Tile>& slices, const TensorWalk& walk, const TileAt& at) {
  const int units = bits_set(units_needed<Tile>(slices.mask()));
  barrier_arrive_expect(full, static_cast<unsigned>(Tile::kWBytes + units * Tile::kUnitBytes));
  for_each_box<Tile>(slices, walk, at, [&](int where, bool of_w, int c0, int c1, int c2) {
    tma_load(stage + where, of_w ? w : x, full, c0, c1, c2);
  });
}

/// The descriptor of the k-th multiplication's operand: rows along the sum …
template <class Tile>
__device__ std::uint64_t rows_operand(unsigned address, int k) {
  constexpr unsigned kIgnored = 16;
  return wgmma_descriptor(address + 32 * static_cast<unsigned>(k), kIgnored, 8 * Tile::kRowBytes,
                          Tile::kSwizzle);
}
/// … or blocks of 64 numbers of a step.
template <class Tile>
__device__ std::uint64_t blocks_operand(unsigned address, int k) {
  constexpr unsigned kEightSteps = 8 * 128;
  return wgmma_descriptor(address + 2 * kEightSteps * static_cast<unsigned>(k), Tile::kBlockBytes,
                          kEightSteps, Swizzle::k128);
}

/// sums += the products of the operands that a(k) and b(k) describe, k from 0 to multiplications - 1. A wgmma
/// follows a fence without a branch in between, or ptxas makes all of them wait for one another (C7520).
template <class Tile, int kN, Major kA, Major kB, class A, class B>
__device__ __forceinline__ void multiply_steps(float (&sums)[kN / 2], int multiplications, const A& a,
                                               const B& b) {
  constexpr int kMost = Tile::kSteps / Tile::kOneSteps;
  if (multiplications == kMost) {
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < kMost; ++k) wgmma<Tile::kPrecision, kN, kA, kB>(sums, a(k), b(k), true);
    return;
  }
  for (int k = 0; k < multiplications; ++k) {
    wgmma_fence();
    wgmma<Tile::kPrecision, kN, kA, kB>(sums, a(k), b(k), true);
  }
}

/// sums += the slice in the stage at that address, for the warpgroup's rows. `work`: units that count for it.
template <class Tile>
__device__ __forceinline__ void multiply_slice(float (&sums)[Tile::kSums], unsigned stage, int warpgroup,
                                               unsigned work, int multiplications) {
  const unsigned x = stage + Tile::kWBytes;
  const unsigned w =
      stage + (Tile::kUnitsOnM ? 0 : static_cast<unsigned>(warpgroup) * Tile::kWarpgroupWBytes);
  const auto of_w = [&](int k) {
    if constexpr (Tile::kMajorW == Major::kK)
      return rows_operand<Tile>(w, k);
    else
      return blocks_operand<Tile>(w, k);
  };
  const auto of_x = [&](int unit) {
    return [=](int k) { return rows_operand<Tile>(x + static_cast<unsigned>(unit) * Tile::kUnitBytes, k); };
  };
  if constexpr (Tile::kUnitsOnM) {
    if ((work >> (2 * warpgroup) & 3u) != 0)
      multiply_steps<Tile, Tile::kRows, Major::kK, Tile::kMajorW>(sums, multiplications, of_x(2 * warpgroup),
                                                                  of_w);
  } else {
#pragma unroll
    for (int u = 0; u < Tile::kUnits; ++u) {
      if ((work >> u & 1u) == 0) continue;
      multiply_steps<Tile, kUnitSamples, Tile::kMajorW, Major::kK>(
          *reinterpret_cast<float(*)[16]>(sums + 16 * u), multiplications, of_w, of_x(u));
    }
  }
}

/// Units that count for the warpgroup: none where its rows lie behind the last.
template <class Tile>
__device__ unsigned work_of(const TensorSlices<Tile>& slices, const TensorWalk& walk, const TileAt& at,
                            int warpgroup) {
  if (!Tile::kUnitsOnM && at.row0 + warpgroup * Tile::kBlockRows >= walk.rows) return 0;
  return slices.mask();
}

/// Factors and shifts of the tile's rows. All threads call it and wait for each other behind it.
template <class Tile>
__device__ void load_scales(const TensorArguments& a, const TileAt& at, TensorShared<Tile>& shared) {
  if (!a.finish.scales_rows()) return;
  for (int r = static_cast<int>(threadIdx.x); r < Tile::kRows; r += static_cast<int>(blockDim.x)) {
    if (at.row0 + r < a.walk.rows) shared.scales[r] = a.finish.scales(at.row0 + r);
  }
}

/// Calls body(i, j in the tile, the first of two sums, apart) for every pair of neighbouring sums of the
/// thread whose first is in the result: element i, and element i + apart if `second`.
template <class Tile, class Body>
__device__ __forceinline__ void for_each_two(const TensorArguments& a, const TileAt& at, int thread,
                                             const Body& body) {
  const TensorWalk& walk = a.walk;
  const int warpgroup = thread / kWarpgroup;
  const auto start = [&](int unit, int sample) {  // element of row 0; -1: there is none
    const int s = unit % walk.blocks * kUnitSamples + sample;
    if (unit >= walk.units() || s >= walk.samples) return -1;
    const int outer = walk.pairs ? at.result : walk.position(unit);
    return outer * a.finish.outer_pitch + s * a.finish.sample_pitch;
  };
#pragma unroll
  for (int half = 0; half < 2; ++half) {  // rows g and g + 8 of the fragment
    const int row = wgmma_d_place(thread % kWarpgroup, 2 * half).row;
    if constexpr (Tile::kUnitsOnM) {
      const int first = start(at.unit0 + 2 * warpgroup + row / kUnitSamples, row % kUnitSamples);
      if (first < 0) continue;
#pragma unroll
      for (int i = 2 * half; i < Tile::kSums; i += 4) {
        const int r = wgmma_d_place(thread % kWarpgroup, i).column, j = at.row0 + r;
        if (j < walk.rows)
          body(i, first + j * a.finish.row_pitch, r, a.finish.row_pitch, j + 1 < walk.rows, 1);
      }
    } else {
      const int r = warpgroup * Tile::kBlockRows + row, j = at.row0 + r;
      if (j >= walk.rows) continue;
#pragma unroll
      for (int i = 2 * half; i < Tile::kSums; i += 4) {
        const int column = wgmma_d_place(thread % kWarpgroup, i).column;
        const int unit = at.unit0 + column / kUnitSamples, sample = column % kUnitSamples;
        const int first = start(unit, sample);
        if (first < 0) continue;
        const bool second = unit % walk.blocks * kUnitSamples + sample + 1 < walk.samples;
        body(i, first + j * a.finish.row_pitch, r, a.finish.sample_pitch, second, 0);
      }
    }
  }
}

/// Puts two neighbouring sums where they belong: into the result, or as they are into `parts`.
template <class Tile>
__device__ __forceinline__ void put_two(const TensorArguments& a, const TensorShared<Tile>& shared,
                                        float* parts, float one, float two, int i, int r, int apart,
                                        bool second, int rows_apart) {
  float* to = parts;
  if (parts == nullptr) {
    to = a.finish.result;
    const bool scaled = a.finish.scales_rows();
    const auto value = [&](float sum, int row, int at) {
      return a.finish.value(sum, scaled ? shared.scales[row] : make_float2(1, 0), at);
    };
    one = value(one, r, i);
    if (second) two = value(two, r + rows_apart, i + apart);
  }
  if (a.twos && apart == 1 && second) {
    *reinterpret_cast<float2*>(to + i) = make_float2(one, two);
    return;
  }
  to[i] = one;
  if (second) to[i + apart] = two;
}

/// Stores the sums of one of the multiplying threads: the result, or this block's part of it.
template <class Tile>
__device__ __forceinline__ void store_sums(const TensorArguments& a, const TileAt& at,
                                           const TensorShared<Tile>& shared,
                                           const float (&sums)[Tile::kSums]) {
  float* const parts = a.parts == nullptr ? nullptr : a.parts + blockIdx.y * a.outputs;
  for_each_two<Tile>(a, at, static_cast<int>(threadIdx.x),
                     [&](int k, int i, int r, int apart, bool second, int rows_apart) {
                       put_two<Tile>(a, shared, parts, sums[k], sums[k + 1], i, r, apart, second, rows_apart);
                     });
}

// ---- which tiles there are
// ---------------------------------------------------------------------------------

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

/// The images as boxes of a tile.
template <class Tile>
TensorMapSpec spec_of_w(const TensorLaunch& launch) {
  return Tile::kMajorW == Major::kK ? image_spec(launch.w, Tile::kSteps, Tile::kRows)
                                    : image_spec(launch.w, Tile::kBlockRows, Tile::kSteps);
}
template <class Tile>
TensorMapSpec spec_of_x(const TensorLaunch& launch) {
  return image_spec(launch.x, Tile::kSteps, kUnitSamples);
}

TensorArguments tensor_arguments(const TensorLaunch& launch);
inline Grid tensor_grid(const TensorLaunch& launch, int threads, std::size_t shared) {
  return {{static_cast<unsigned>(launch.plan.tiles()), static_cast<unsigned>(launch.plan.parts)},
          {static_cast<unsigned>(threads)},
          shared};
}

}  // namespace umbra

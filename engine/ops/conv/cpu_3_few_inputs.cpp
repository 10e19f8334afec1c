// The weight gradient of a convolution with few input channels (a stem), fp32.
//
// In cpu_2_tiles input channels are the rows of a tile: with one channel the output gradient is read once
// per tap, for one multiplication. Here the rows of a tile are kTaps taps of one input channel, its columns
// kOuts output channels, and every sum is a vector over samples, whose lanes are added up at the end:
//
//   dw[t][c][k] = sum over output positions o and samples n of  x[i(o, t)][c][n] * dy[o][k][n]
//
// Nothing is transposed and dy is read once per kTaps taps. Where a tap of the tile reads padding it reads
// a row of zeros. Sums run over so many positions that they are computed in parts, which are added in order
// at the end. This gives work for more threads and smaller rounding errors.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/conv/cpu_3_few_inputs.cpp"
#include <hwy/cache_control.h>

#include <algorithm>
#include <string>

#include "engine/base/error.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/ops/conv/declines.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/taps.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/workspace_allocator.h"

#ifndef UMBRA_ENGINE_OPS_CONV_CPU_3_FEW_INPUTS_TILE
#define UMBRA_ENGINE_OPS_CONV_CPU_3_FEW_INPUTS_TILE
namespace umbra {

inline constexpr int kTapsTogether = 4;

// One output position and the inputs that the taps of a tile read there; -1 is padding.
struct TapsAtOutput {
  std::int32_t output;
  std::int32_t input[kTapsTogether];
};

struct FewInputsTile {
  const float* x;  // of one channel; positions are x_stride apart
  std::int64_t x_stride;
  const float* dy;  // [output position][Cout][n]
  std::int64_t outs, samples;
  const float* zeros;  // [n]
  float* sums;         // [tap][tap_stride]: Cout columns of each
  std::int64_t tap_stride, taps;
};

}  // namespace umbra
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;
constexpr std::int64_t kLine = 16;  // floats in a cache line
#if HWY_TARGET == HWY_AVX2
constexpr int kOuts = 2;  // 8 sums, 4 + 1 operands in 16 registers
#else
constexpr int kOuts = 5;  // 20 sums in 32 registers
#endif

template <bool kWhole>
HWY_INLINE hn::Vec<Floats> load(const float* p, [[maybe_unused]] std::int64_t count) {
  const Floats d;
  if constexpr (kWhole) return hn::LoadU(d, p);
#if HWY_MEM_OPS_MIGHT_FAULT
  return load_some(d, p, count);
#else
  return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, p);
#endif
}

template <int K, bool kWhole>
HWY_INLINE void add_products(const float* const (&x)[kTapsTogether], const float* dy, std::int64_t row,
                             std::int64_t n, std::int64_t count, hn::Vec<Floats> (&sum)[kTapsTogether][K]) {
  hn::Vec<Floats> input[kTapsTogether];
#pragma GCC unroll 4
  for (int t = 0; t < kTapsTogether; ++t) input[t] = load<kWhole>(x[t] + n, count);
#pragma GCC unroll 8
  for (int k = 0; k < K; ++k) {
    const auto gradient = load<kWhole>(dy + k * row + n, count);
#pragma GCC unroll 4
    for (int t = 0; t < kTapsTogether; ++t) sum[t][k] = hn::MulAdd(input[t], gradient, sum[t][k]);
  }
}

// K columns from column k on.
template <int K>
void sum_columns(const FewInputsTile& tile, const TapsAtOutput* begin, const TapsAtOutput* end,
                 std::int64_t k) {
  const Floats d;
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(d));
  const std::int64_t N = tile.samples;
  hn::Vec<Floats> sum[kTapsTogether][K];
#pragma GCC unroll 4
  for (int t = 0; t < kTapsTogether; ++t) {
#pragma GCC unroll 8
    for (int j = 0; j < K; ++j) sum[t][j] = hn::Zero(d);
  }
  for (const TapsAtOutput* at = begin; at != end; ++at) {
    const float* x[kTapsTogether];
#pragma GCC unroll 4
    for (int t = 0; t < kTapsTogether; ++t) {
      x[t] = at->input[t] < 0 ? tile.zeros : tile.x + at->input[t] * tile.x_stride;
    }
    const float* dy = tile.dy + (at->output * tile.outs + k) * N;
    const float* soon = tile.dy + ((at + 1 != end ? at + 1 : at)->output * tile.outs + k) * N;
    for (std::int64_t i = 0; i < K * N; i += kLine) hwy::Prefetch(soon + i);
    std::int64_t n = 0;
    for (; n + kLanes <= N; n += kLanes) add_products<K, true>(x, dy, N, n, kLanes, sum);
    if (n < N) add_products<K, false>(x, dy, N, n, N - n, sum);
  }
#pragma GCC unroll 4
  for (int t = 0; t < kTapsTogether; ++t) {
    if (t >= tile.taps) continue;
#pragma GCC unroll 8
    for (int j = 0; j < K; ++j) {
      tile.sums[t * tile.tap_stride + k + j] = hn::GetLane(hn::SumOfLanes(d, sum[t][j]));
    }
  }
}

template <int K>
void sum_last_columns(const FewInputsTile& tile, const TapsAtOutput* begin, const TapsAtOutput* end,
                      std::int64_t k) {
  if (tile.outs - k == K) return sum_columns<K>(tile, begin, end, k);
  if constexpr (K > 1) sum_last_columns<K - 1>(tile, begin, end, k);
}

// As many columns from column k on as fit the registers; returns the first column not computed.
std::int64_t few_inputs_tile(const FewInputsTile* tile, const TapsAtOutput* begin, const TapsAtOutput* end,
                             std::int64_t k) {
  if (k + kOuts <= tile->outs) {
    sum_columns<kOuts>(*tile, begin, end, k);
    return k + kOuts;
  }
  sum_last_columns<kOuts>(*tile, begin, end, k);
  return tile->outs;
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(few_inputs_tile);

constexpr std::int64_t kMaxChannels = 4;  // with more, tiles of channels are used well enough
constexpr std::int64_t kPartOutputs = 64, kMostParts = 64;

std::int64_t parts_of(const ConvGeometry& g) {
  return std::clamp<std::int64_t>(g.out_volume() / kPartOutputs, 1, kMostParts);
}

std::int64_t tap_tiles(const ConvGeometry& g) {
  return (g.live_taps() + kTapsTogether - 1) / kTapsTogether;
}

struct Space {
  std::int64_t part_outputs;  // output positions of a part, at most
  std::span<std::int32_t> slots, begin;
  std::span<TapEntry> entries;
  std::span<TapsAtOutput> at;           // [part][tap tile][part_outputs]
  std::span<const TapsAtOutput*> ends;  // [part][tap tile]: end of the list
  std::span<float> zeros;               // [n]
  std::span<float> sums;                // [part][live tap][Cin][Cout]

  Space(WorkspaceAllocator& allocator, const ConvGeometry& g)
      : part_outputs(g.out_volume() / parts_of(g) + 1),
        slots(allocator.take<std::int32_t>(g.taps())),
        begin(allocator.take<std::int32_t>(g.out_volume() + 1)),
        entries(allocator.take<TapEntry>(g.live_pairs())),
        at(allocator.take<TapsAtOutput>(parts_of(g) * tap_tiles(g) * part_outputs)),
        ends(allocator.take<const TapsAtOutput*>(parts_of(g) * tap_tiles(g))),
        zeros(allocator.take<float>(g.batch)),
        sums(allocator.take<float>(parts_of(g) * g.live_taps() * g.in_channels * g.out_channels)) {}
};

// Output positions [o, end) at which one of the taps [tap, tap + kTapsTogether) reads data.
TapsAtOutput* list_outputs(const Space& space, std::int64_t o, std::int64_t end, std::int64_t tap,
                           TapsAtOutput* list) {
  for (; o < end; ++o) {
    const TapEntry* e = space.entries.data() + space.begin[static_cast<std::size_t>(o)];
    const TapEntry* last = space.entries.data() + space.begin[static_cast<std::size_t>(o + 1)];
    e = std::partition_point(e, last, [&](const TapEntry& entry) { return entry.first < tap; });
    if (e == last || e->first >= tap + kTapsTogether) continue;
    list->output = static_cast<std::int32_t>(o);
    std::fill_n(list->input, kTapsTogether, -1);
    for (; e != last && e->first < tap + kTapsTogether; ++e) list->input[e->first - tap] = e->second;
    ++list;
  }
  return list;
}

// Output channels outermost: all taps use a few channels of dy while they are in the second-level cache.
void run_part(const ConvGeometry& g, const Space& space, const float* x, const float* dy, std::int64_t part) {
  const std::int64_t parts = parts_of(g), C = g.in_channels, K = g.out_channels, live = g.live_taps();
  const std::int64_t first = part * g.out_volume() / parts, last = (part + 1) * g.out_volume() / parts;
  TapsAtOutput* lists = space.at.data() + part * tap_tiles(g) * space.part_outputs;
  const TapsAtOutput** ends = space.ends.data() + part * tap_tiles(g);
  for (std::int64_t q = 0; q < tap_tiles(g); ++q) {
    ends[q] = list_outputs(space, first, last, q * kTapsTogether, lists + q * space.part_outputs);
  }
  for (std::int64_t k = 0, next = K; k < K; k = next) {
    for (std::int64_t q = 0; q < tap_tiles(g); ++q) {
      const std::int64_t tap = q * kTapsTogether;
      for (std::int64_t c = 0; c < C; ++c) {
        const FewInputsTile tile{x + c * g.batch,
                                 C * g.batch,
                                 dy,
                                 K,
                                 g.batch,
                                 space.zeros.data(),
                                 space.sums.data() + ((part * live + tap) * C + c) * K,
                                 C * K,
                                 std::min<std::int64_t>(kTapsTogether, live - tap)};
        next = HWY_DYNAMIC_DISPATCH(few_inputs_tile)(&tile, lists + q * space.part_outputs, ends[q], k);
      }
    }
  }
}

std::string declines(const ConvWgrad& op) {
  if (op.geometry.in_channels > kMaxChannels)
    return concat("there are more than ", kMaxChannels, " input channels");
  if (op.geometry.live_taps() < kTapsTogether) return "there are too few live taps";
  return tiles_decline_unless_fp32(op);
}

std::size_t workspace(const ConvWgrad& op) {
  WorkspaceAllocator allocator(nullptr);
  const Space space(allocator, op.geometry);
  return allocator.used();
}

void run(const ConvWgrad& op, Buffers b, void* memory, Stream&) {  // x, dy -> dw
  const ConvGeometry& g = op.geometry;
  WorkspaceAllocator allocator(memory);
  const Space space(allocator, g);
  write_live_tap_lists(g, TapOrder::kByOutput, space.slots, space.begin, space.entries);
  std::fill(space.zeros.begin(), space.zeros.end(), 0.0f);
  const auto *x = b.in(0), *dy = b.in(1);
  parallel_for(parts_of(g), [&](std::int64_t part) { run_part(g, space, x, dy, part); });
  auto* dw = b.out(2);
  const std::int64_t count = g.live_taps() * g.in_channels * g.out_channels;
  parallel_chunks(count, 1024, [&](std::int64_t begin, std::int64_t end) {
    const float* sums = space.sums.data();
    std::copy(sums + begin, sums + end, dw + begin);
    for (std::int64_t p = 1; p < parts_of(g); ++p) {
      for (std::int64_t i = begin; i < end; ++i) dw[i] += sums[p * count + i];
    }
  });
}

}  // namespace

Kernel conv_wgrad_cpu_3_few_inputs() {
  return make_kernel<ConvWgrad, run, declines, workspace>();
}

}  // namespace umbra
#endif

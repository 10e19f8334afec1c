// Mean and covariance of the patches: for every pair of chunks the nine sums of products of their taps,
// with samples in lanes and everything in double. A product of two floats is exact in double, so that
// subtracting the squared mean at the end costs no digits that a float has.
//
// Rows of outputs are divided into kStemRowChunks pieces; within one, all pairs of chunks process a row
// while it is in cache. The pieces are summed in order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/stem/cpu_1_lanes_gram.cpp"
#include <algorithm>

#include "engine/cpu/parallel.h"
#include "engine/cpu/simd.h"
#include "engine/ops/stem/cpu_1_lanes.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

using Doubles = hn::ScalableTag<double>;
using Halves = hn::Rebind<float, Doubles>;
constexpr int kTaps = static_cast<int>(kStemTaps);

/// A chunk in one row of outputs.
struct ChunkRow {
  const float* tap[kTaps];
};

HWY_INLINE hn::Vec<Doubles> widen(const float* p) {
  return hn::PromoteTo(Doubles(), hn::LoadU(Halves(), p));
}

// Pairs that share their first chunk and are summed together: their 9 sums each must fit into the
// registers. More pairs mean fewer conversions to double.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SCALAR
constexpr int kTogether = 1;
#else
constexpr int kTogether = 3;
#endif

/// A second chunk and the sums of its products with the first.
struct Partner {
  ChunkRow row;
  double* products;  // [kStemTile][kStemWide]
};

/// products of M partners += a b' over `outputs` outputs that are `step` floats apart.
template <int M>
HWY_INLINE void multiply_row(const ChunkRow& a, const Partner* b, std::int64_t outputs, std::int64_t step,
                             std::int64_t width) {
  const Doubles d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<Doubles> sum[M][kTaps][kTaps];
#pragma GCC unroll 3
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 3
    for (int i = 0; i < kTaps; ++i) {
#pragma GCC unroll 3
      for (int j = 0; j < kTaps; ++j)
        sum[m][i][j] = hn::LoadU(d, b[m].products + (i * kTaps + j) * kStemWide);
    }
  }
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t l = o * step; l < o * step + width; l += lanes) {
      const auto a0 = widen(a.tap[0] + l), a1 = widen(a.tap[1] + l), a2 = widen(a.tap[2] + l);
#pragma GCC unroll 3
      for (int m = 0; m < M; ++m) {
#pragma GCC unroll 3
        for (int j = 0; j < kTaps; ++j) {
          const auto bj = widen(b[m].row.tap[j] + l);
          sum[m][0][j] = hn::MulAdd(a0, bj, sum[m][0][j]);
          sum[m][1][j] = hn::MulAdd(a1, bj, sum[m][1][j]);
          sum[m][2][j] = hn::MulAdd(a2, bj, sum[m][2][j]);
        }
      }
    }
  }
#pragma GCC unroll 3
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 3
    for (int i = 0; i < kTaps; ++i) {
#pragma GCC unroll 3
      for (int j = 0; j < kTaps; ++j)
        hn::StoreU(sum[m][i][j], d, b[m].products + (i * kTaps + j) * kStemWide);
    }
  }
}
void multiply_rows(const ChunkRow& a, const Partner* b, int count, std::int64_t outputs, std::int64_t step,
                   std::int64_t width) {
  if (count == 1) multiply_row<1>(a, b, outputs, step, width);
  if (kTogether == 1) return;
  if (count == 2) multiply_row<2>(a, b, outputs, step, width);
  if (count == 3) multiply_row<3>(a, b, outputs, step, width);
}

/// sums [kStemTaps][kStemWide] += a
HWY_INLINE void add_row(const ChunkRow& a, std::int64_t outputs, std::int64_t step, std::int64_t width,
                        double* HWY_RESTRICT sums) {
  const Doubles d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto s0 = hn::LoadU(d, sums), s1 = hn::LoadU(d, sums + kStemWide), s2 = hn::LoadU(d, sums + 2 * kStemWide);
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t l = o * step; l < o * step + width; l += lanes) {
      s0 = hn::Add(s0, widen(a.tap[0] + l));
      s1 = hn::Add(s1, widen(a.tap[1] + l));
      s2 = hn::Add(s2, widen(a.tap[2] + l));
    }
  }
  hn::StoreU(s0, d, sums);
  hn::StoreU(s1, d, sums + kStemWide);
  hn::StoreU(s2, d, sums + 2 * kStemWide);
}

/// Adds the rows [begin, end) of live outputs of all groups to products and sums, which start from zero.
void stem_gram_rows(const StemPlan& plan, const float* boxes, const StemChunk* chunks, const StemPair* pairs,
                    std::int64_t begin, std::int64_t end, double* products, double* sums) {
  const std::int64_t outputs = plan.w.live_end - plan.w.live_begin,
                     lines = plan.h.live_end - plan.h.live_begin;
  const std::int64_t pair_count = plan.pairs(), in_channels = plan.g.in_channels;
  std::fill_n(products, pair_count * kStemTile * kStemWide, 0.0);
  std::fill_n(sums, plan.chunks() * kStemTaps * kStemWide, 0.0);
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t od = plan.d.live_begin + row / lines, oh = plan.h.live_begin + row % lines;
    for (std::int64_t group = 0; group < plan.groups(); ++group) {
      const std::int64_t width = plan.width(group), step = plan.w.stride * in_channels * width;
      const float* box = boxes + group * plan.box_cells() * kStemGroup;
      const auto taps_of = [&](const StemChunk& c) {
        ChunkRow r;
        const std::int64_t first =
            plan.row_of(od, oh, c.td, c.th) + plan.w.live_begin * plan.w.stride * in_channels;
        for (int i = 0; i < kTaps; ++i) r.tap[i] = box + (first + c.cell[i]) * width;
        return r;
      };
      std::int64_t p = 0;
      for (std::int64_t i = 0; i < plan.chunks(); ++i) {
        const StemChunk& a = chunks[i];
        const bool lives = plan.row_lives(od, oh, a.td, a.th);
        const ChunkRow first = lives ? taps_of(a) : ChunkRow{};
        Partner partners[kTogether];
        int count = 0;
        for (; p < pair_count && pairs[p].a == i; ++p) {
          const StemChunk& b = chunks[pairs[p].b];
          if (!lives || pairs[p].source != p || !plan.row_lives(od, oh, b.td, b.th)) continue;
          if (pairs[p].b == i) add_row(first, outputs, step, width, sums + i * kStemTaps * kStemWide);
          partners[count++] = {taps_of(b), products + p * kStemTile * kStemWide};
          if (count < kTogether) continue;
          multiply_rows(first, partners, count, outputs, step, width);
          count = 0;
        }
        multiply_rows(first, partners, count, outputs, step, width);
      }
    }
  }
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(stem_gram_rows);

namespace {

/// Sum over pieces, then lanes, in order; element e of arrays of `length` vectors.
double total_of(const double* pieces, std::int64_t count, std::int64_t length, std::int64_t e) {
  double lanes[kStemWide] = {};
  for (std::int64_t piece = 0; piece < count; ++piece) {
    for (std::int64_t l = 0; l < kStemWide; ++l) lanes[l] += pieces[(piece * length + e) * kStemWide + l];
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

}  // namespace

void stem_patch_statistics_lanes(const StemPlan& plan, const float* boxes, const StemGramSpace& space,
                                 double* mu, double* cov) {
  plan.fill_chunks(space.chunks);
  plan.fill_pairs(space.chunks, space.pairs);
  const std::int64_t chunks = plan.chunks(), pairs = plan.pairs(), patch = plan.patch;
  const std::int64_t rows = plan.live_rows(), grain = (rows + kStemRowChunks - 1) / kStemRowChunks;
  if (patch == 0) return;
  parallel_chunks(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t piece = begin / grain;
    HWY_DYNAMIC_DISPATCH(stem_gram_rows)
    (plan, boxes, space.chunks, space.pairs, begin, end,
     space.products + piece * pairs * kStemTile * kStemWide,
     space.sums + piece * chunks * kStemTaps * kStemWide);
  });
  const std::int64_t pieces = (rows + grain - 1) / grain;
  const double count = static_cast<double>(plan.g.batch * plan.g.conv_volume());
  for (std::int64_t p = 0; p < pairs; ++p) {
    const StemPair& pair = space.pairs[p];
    if (pair.a != pair.b) continue;
    const std::int64_t source = space.pairs[pair.source].a;
    for (std::int64_t i = 0; i < kStemTaps; ++i) {
      mu[space.chunks[pair.a].k[i]] =
          total_of(space.sums, pieces, chunks * kStemTaps, source * kStemTaps + i) / count;
    }
  }
  for (std::int64_t p = 0; p < pairs; ++p) {
    const StemPair& pair = space.pairs[p];
    const StemChunk &a = space.chunks[pair.a], &b = space.chunks[pair.b];
    for (std::int64_t i = 0; i < a.count; ++i) {
      for (std::int64_t j = 0; j < b.count; ++j) {
        const std::int64_t e = pair.swapped ? j * kStemTaps + i : i * kStemTaps + j, k = a.k[i], l = b.k[j];
        const double mean =
            total_of(space.products, pieces, pairs * kStemTile, pair.source * kStemTile + e) / count;
        cov[k * patch + l] = cov[l * patch + k] = mean - mu[k] * mu[l];
      }
    }
  }
}

}  // namespace umbra
#endif

// Loops over a slab of [outer, C, inner] for cpu_2_fused. Like simd.h, which must be included first, this
// file has no include guard: it is compiled once per instruction set.
//
// Both loops take make(d, channel), which loads a channel's parameters once (channel(p) is p[c] in every
// lane, or with inner = 1, where lanes are channels, a vector from p + c) and returns the function to call
// per vector.
#include "engine/ops/shared/simd_loops.h"

#if defined(UMBRA_BATCH_NORM_CHANNEL_PASSES_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef UMBRA_BATCH_NORM_CHANNEL_PASSES_TOGGLE
#undef UMBRA_BATCH_NORM_CHANNEL_PASSES_TOGGLE
#else
#define UMBRA_BATCH_NORM_CHANNEL_PASSES_TOGGLE
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {

/// Calls make(d, channel)(i) for every element of the slab, i its flat index.
template <class Make>
HWY_INLINE void apply_pass(const ChannelSlab& slab, const Make& make) {
  if (slab.volume == 1) {
    for_lanes<float>(slab.c1 - slab.c0, [&](auto d, std::int64_t j) HWY_ATTR {
      const std::int64_t c = slab.c0 + j;
      const auto body = make(d, [&](const float* p) HWY_ATTR { return hn::LoadU(d, p + c); });
      for (std::int64_t n = slab.n0; n < slab.n1; ++n) body(n * slab.channels + c);
    });
    return;
  }
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t c = slab.c0; c < slab.c1; ++c) {
    const auto body = make(d, [&](const float* p) HWY_ATTR { return hn::Set(d, p[c]); });
    const auto rest = make(one, [&](const float* p) HWY_ATTR { return hn::Set(one, p[c]); });
    for (std::int64_t n = slab.n0; n < slab.n1; ++n) {
      const std::int64_t begin = (n * slab.channels + c) * slab.volume, end = begin + slab.volume;
      std::int64_t i = begin;
      for (; i + 2 * lanes <= end; i += 2 * lanes) {
        body(i);
        body(i + lanes);
      }
      for (; i + lanes <= end; i += lanes) body(i);
      for (; i < end; ++i) rest(i);
    }
  }
}

/// K sums in float accumulators that are regularly added to doubles and cleared: the error is a few
/// roundings, whatever the length.
template <class D, int K>
struct FloatSums {
  using DD = hn::CappedTag<double, HWY_MIN(hn::MaxLanes(D()), hn::MaxLanes(hn::ScalableTag<double>()))>;
  static constexpr std::size_t kParts = hn::MaxLanes(D()) / hn::MaxLanes(DD());
  hn::Vec<D> even[K], odd[K];
  hn::Vec<DD> wide[K][kParts];

  HWY_INLINE FloatSums() {
    clear();
    for (int k = 0; k < K; ++k) {
      for (auto& part : wide[k]) part = hn::Zero(DD());
    }
  }
  HWY_INLINE void clear() {
    for (int k = 0; k < K; ++k) even[k] = odd[k] = hn::Zero(D());
  }
  HWY_INLINE void empty() {
    HWY_ALIGN float lanes[hn::MaxLanes(D())];
    for (int k = 0; k < K; ++k) {
      hn::Store(hn::Add(even[k], odd[k]), D(), lanes);
      for (std::size_t part = 0; part < kParts; ++part)
        wide[k][part] = hn::Add(wide[k][part], load_wide(DD(), lanes + part * hn::MaxLanes(DD())));
    }
    clear();
  }
  HWY_INLINE double sum(int k) const {
    double result = 0;
    for (const auto& part : wide[k]) result += sum_lanes(DD(), part);
    return result;
  }
  HWY_INLINE void store(int k, double* to) const {
    for (std::size_t part = 0; part < kParts; ++part)
      hn::StoreU(wide[k][part], DD(), to + part * hn::MaxLanes(DD()));
  }
};

/// out[k * C + c] = sum over the slab of what make(d, channel)(i, acc) adds to acc[k] for the elements from
/// flat index i on, for k < K. A float accumulator takes at most kChain vectors.
template <int K, std::int64_t kChain, class Make>
HWY_INLINE void sums_pass(const ChannelSlab& slab, double* out, const Make& make) {
  if (slab.volume == 1) {
    for_lanes<float>(slab.c1 - slab.c0, [&](auto d, std::int64_t j) HWY_ATTR {
      const std::int64_t c = slab.c0 + j;
      const auto term = make(d, [&](const float* p) HWY_ATTR { return hn::LoadU(d, p + c); });
      FloatSums<decltype(d), K> sums;
      for (std::int64_t n = slab.n0; n < slab.n1;) {
        const std::int64_t stop = std::min(slab.n1, n + 2 * kChain);
        for (; n + 2 <= stop; n += 2) {
          term(n * slab.channels + c, sums.even);
          term((n + 1) * slab.channels + c, sums.odd);
        }
        for (; n < stop; ++n) term(n * slab.channels + c, sums.even);
        sums.empty();
      }
      for (int k = 0; k < K; ++k) sums.store(k, out + k * slab.channels + c);
    });
    return;
  }
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t span = 2 * kChain * lanes, rows = std::max<std::int64_t>(1, span / slab.volume);
  for (std::int64_t c = slab.c0; c < slab.c1; ++c) {
    const auto term = make(d, [&](const float* p) HWY_ATTR { return hn::Set(d, p[c]); });
    const auto rest_term = make(one, [&](const float* p) HWY_ATTR { return hn::Set(one, p[c]); });
    FloatSums<decltype(d), K> sums;
    FloatSums<decltype(one), K> rest;
    for (std::int64_t n0 = slab.n0; n0 < slab.n1; n0 += rows) {
      for (std::int64_t s0 = 0; s0 < slab.volume; s0 += span) {
        for (std::int64_t n = n0; n < std::min(slab.n1, n0 + rows); ++n) {
          const std::int64_t row = (n * slab.channels + c) * slab.volume;
          const std::int64_t end = row + std::min(slab.volume, s0 + span);
          std::int64_t i = row + s0;
          for (; i + 2 * lanes <= end; i += 2 * lanes) {
            term(i, sums.even);
            term(i + lanes, sums.odd);
          }
          for (; i + lanes <= end; i += lanes) term(i, sums.even);
          for (; i < end; ++i) rest_term(i, rest.even);
        }
        sums.empty();
        if (slab.volume % lanes != 0) rest.empty();
      }
    }
    for (int k = 0; k < K; ++k) out[k * slab.channels + c] = sums.sum(k) + rest.sum(k);
  }
}

}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target

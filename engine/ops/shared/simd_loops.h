// Vector loops that several CPU rungs share. Like simd.h, which must be included first, this file has no
// include guard: it is compiled once per instruction set.
#include "engine/ops/shared/chunks.h"

#if defined(UMBRA_ENGINE_OPS_SIMD_LOOPS_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef UMBRA_ENGINE_OPS_SIMD_LOOPS_TOGGLE
#undef UMBRA_ENGINE_OPS_SIMD_LOOPS_TOGGLE
#else
#define UMBRA_ENGINE_OPS_SIMD_LOOPS_TOGGLE
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {

/// Calls body(d, i) for i in [0, count): whole vectors of T first, then one element at a time with vectors of
/// one lane.
template <class T, class Body>
[[maybe_unused]] HWY_INLINE void for_lanes(std::int64_t count, const Body& body) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) body(d, i);
  for (; i < count; ++i) body(one, i);
}

/// Loads as many floats from p as dd has lanes and converts them to double.
template <class DD>
[[maybe_unused]] HWY_INLINE hn::Vec<DD> load_wide(DD dd, const float* p) {
  return hn::PromoteTo(dd, hn::LoadU(hn::Rebind<float, DD>(), p));
}

/// Adds the terms of [0, count) to sums: term(dd, i, acc) adds those of the elements from i on to its K
/// accumulators. Two sets of accumulators hide the latency of an addition; the order of the additions
/// depends on the elements alone, not on the caller.
template <int K>
struct WideSums {
  using D = hn::ScalableTag<double>;
  using One = hn::CappedTag<double, 1>;
  hn::Vec<D> even[K], odd[K];
  hn::Vec<One> rest[K];

  HWY_INLINE WideSums() {
    for (int k = 0; k < K; ++k) {
      even[k] = odd[k] = hn::Zero(D());
      rest[k] = hn::Zero(One());
    }
  }
  template <class Term>
  HWY_INLINE void add(std::int64_t count, const Term& term) {
    const D dd;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(dd));
    std::int64_t i = 0;
    for (; i + 2 * lanes <= count; i += 2 * lanes) {
      term(dd, i, even);
      term(dd, i + lanes, odd);
    }
    for (; i + lanes <= count; i += lanes) term(dd, i, even);
    for (; i < count; ++i) term(One(), i, rest);
  }
  HWY_INLINE double total(int k) const {
    return sum_lanes(D(), hn::Add(even[k], odd[k])) + hn::GetLane(rest[k]);
  }
};

/// Sums per channel over a slab of [N, C, S]: out[k * C + c] for k < K. term(dd, i, shift, acc) adds the
/// terms of the elements from flat index i on; shift holds shifts[c * shift_stride] of their channels.
template <int K, class Term>
[[maybe_unused]] HWY_INLINE void channel_sums(const ChannelSlab& slab, const float* shifts,
                                              std::int64_t shift_stride, double* out, const Term& term) {
  if (slab.volume == 1) {  // lanes are channels
    for_lanes<double>(slab.c1 - slab.c0, [&](auto dd, std::int64_t j) HWY_ATTR {
      const std::int64_t c = slab.c0 + j;
      const auto shift = load_wide(dd, shifts + c);
      hn::Vec<decltype(dd)> acc[K];
      for (int k = 0; k < K; ++k) acc[k] = hn::Zero(dd);
      for (std::int64_t n = slab.n0; n < slab.n1; ++n) term(dd, n * slab.channels + c, shift, acc);
      for (int k = 0; k < K; ++k) hn::StoreU(acc[k], dd, out + k * slab.channels + c);
    });
    return;
  }
  for (std::int64_t c = slab.c0; c < slab.c1; ++c) {
    const double shift = static_cast<double>(shifts[c * shift_stride]);
    WideSums<K> sums;
    for (std::int64_t n = slab.n0; n < slab.n1; ++n) {
      const std::int64_t base = (n * slab.channels + c) * slab.volume;
      sums.add(slab.volume, [&](auto dd, std::int64_t i, auto* acc)
                                HWY_ATTR { term(dd, base + i, hn::Set(dd, shift), acc); });
    }
    for (int k = 0; k < K; ++k) out[k * slab.channels + c] = sums.total(k);
  }
}

/// Calls body(d, i, channel) for the elements of a slab of [N, C, S], i their flat index: channel(p) is p[c]
/// in every lane, or with S = 1, where lanes are channels, a vector loaded from p + c.
template <class Body>
[[maybe_unused]] HWY_INLINE void for_slab(const ChannelSlab& slab, const Body& body) {
  for (std::int64_t n = slab.n0; n < slab.n1; ++n) {
    if (slab.volume == 1) {
      for_lanes<float>(slab.c1 - slab.c0, [&](auto d, std::int64_t j) HWY_ATTR {
        const std::int64_t c = slab.c0 + j;
        body(d, n * slab.channels + c, [&](const float* p) HWY_ATTR { return hn::LoadU(d, p + c); });
      });
      continue;
    }
    for (std::int64_t c = slab.c0; c < slab.c1; ++c) {
      const std::int64_t base = (n * slab.channels + c) * slab.volume;
      for_lanes<float>(slab.volume, [&](auto d, std::int64_t s) HWY_ATTR {
        body(d, base + s, [&](const float* p) HWY_ATTR { return hn::Set(d, p[c]); });
      });
    }
  }
}

}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target

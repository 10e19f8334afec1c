// Google Highway for umbra's CPU rungs: a source is compiled once per instruction set, and the best set that
// the machine supports is chosen at run time.
//
// A rung cpu_1_*.cpp looks like this. The order matters. simd.h has no include guard on purpose: Highway
// includes the rung again for every target, and each time the vector operations must be defined again.
//
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "engine/ops/elementwise/scale.cpp"  // this very file
//   #include "engine/cpu/simd.h"
//   #include "engine/cpu/parallel.h"  // other headers may come anywhere
//
//   HWY_BEFORE_NAMESPACE();
//   namespace umbra::HWY_NAMESPACE {  // leaf functions on plain pointers: no OpenMP, no static data
//   void scale_range(float factor, const float* x, float* y, std::int64_t count) {
//     const hn::ScalableTag<float> d;
//     const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
//     const auto f = hn::Set(d, factor);
//     std::int64_t i = 0;
//     for (; i + lanes <= count; i += lanes) hn::StoreU(hn::Mul(f, hn::LoadU(d, x + i)), d, y + i);
//     if (i < count) store_some(hn::Mul(f, load_some(d, x + i, count - i)), d, y + i, count - i);
//   }
//   }  // namespace umbra::HWY_NAMESPACE
//   HWY_AFTER_NAMESPACE();
//
//   #if HWY_ONCE  // compiled once: dispatch, threads, the Kernel
//   namespace umbra {
//   HWY_EXPORT(scale_range);
//   void scale_run(const Scale& op, Buffers b, void*, Stream&) {
//     parallel_chunks(op.count, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
//       HWY_DYNAMIC_DISPATCH(scale_range)(op.factor, x + begin, y + begin, end - begin);
//     });
//   }
//   }  // namespace umbra
//   #endif
//
// Rules. Threads stay outside the target region (an OpenMP body there would be compiled for the baseline).
// Names of leaf functions are unique in the program, or the functions are in an anonymous namespace. A
// chunk's bounds and a sum's order must not depend on the number of threads. They may depend on the vector
// length, so results are bit-identical on one machine, not between machines. Reductions keep one accumulator
// per lane and finish with sum_lanes. MulAdd rounds once on AVX2, AVX-512 and NEON.
//
// Scalable vectors (SVE) are left out: arrays cannot hold them, which every register tile needs, and NEON has
// the same throughput on Grace (4 x 128 bits in both cases). SSE is left out: it would double the code for
// machines from before 2013, which use Highway's scalar code.

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_SSSE3 | HWY_SSE4)
#endif

#include <hwy/foreach_target.h>  // must come before highway.h: includes the rung once per further target
#include <hwy/highway.h>

#include <cstdint>

// Helpers, once per target: Highway's toggle replaces an include guard.
#if defined(UMBRA_ENGINE_CPU_SIMD_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef UMBRA_ENGINE_CPU_SIMD_TOGGLE
#undef UMBRA_ENGINE_CPU_SIMD_TOGGLE
#else
#define UMBRA_ENGINE_CPU_SIMD_TOGGLE
#endif

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The first `count` elements (fewer than a vector) at p, followed by zeros; reads no memory beyond them.
template <class D, class T = hn::TFromD<D>>
[[maybe_unused]] HWY_INLINE hn::Vec<D> load_some(D d, const T* p, std::int64_t count) {
  HWY_ALIGN T padded[HWY_MAX_BYTES / sizeof(T)] = {};
  for (std::int64_t i = 0; i < count; ++i) padded[i] = p[i];
  return hn::Load(d, padded);
}

/// Stores the first `count` elements (fewer than a vector) to p and writes nothing beyond them.
template <class D, class V, class T = hn::TFromD<D>>
[[maybe_unused]] HWY_INLINE void store_some(V v, D d, T* p, std::int64_t count) {
  HWY_ALIGN T padded[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, padded);
  for (std::int64_t i = 0; i < count; ++i) p[i] = padded[i];
}

/// Sum over the lanes by halving, the same order on every call: ((0+4)+(2+6))+((1+5)+(3+7)) for eight lanes.
template <class D, class V, class T = hn::TFromD<D>>
[[maybe_unused]] HWY_INLINE T sum_lanes(D d, V v) {
  HWY_ALIGN T lanes[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, lanes);
  for (std::int64_t width = static_cast<std::int64_t>(hn::Lanes(d)) / 2; width > 0; width /= 2) {
    for (std::int64_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target

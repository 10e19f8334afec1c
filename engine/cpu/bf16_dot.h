// The CPU's bfloat16 dot product, written with intrinsics because Highway 1.0 has no equivalent. (The only other
// use of intrinsics is the lookup of bytes in tables of 128, models/forest/walk_bytes.cpp.)
//
// sums[l] += a[l].low * b[l].low + a[l].high * b[l].high, with two bfloat16 per 32-bit lane: twice the
// multiplications of a fused multiply-add. Highway has it from version 1.1 on (ReorderWidenMulAccumulate;
// in 1.0 this is two fused multiply-adds and gains nothing). Once umbra requires Highway 1.1, this header can
// become a Highway target like the others.
//
// Functions that use it are marked UMBRA_BF16_TARGET and must be called only if cpu_has_bf16_dot() is true.
// x86 and Arm both flush denormal operands, products and sums to zero. x86 rounds twice per pair, to nearest.
// Arm rounds to odd both the sum of the two products and its addition to the sum: an error of up to one unit
// in the last place instead of half of one. Products of small integers are exact on both.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>
#endif

namespace umbra {

#if defined(__x86_64__)

#define UMBRA_BF16_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define UMBRA_BF16_INLINE UMBRA_BF16_TARGET __attribute__((always_inline)) static inline

inline bool cpu_has_bf16_dot() {
  static const bool has = __builtin_cpu_supports("avx512bf16") != 0;
  return has;
}

/// 32 registers: 12 x 2 sums, two vectors of B and a broadcast pair.
struct Bf16Dot {
  static constexpr int kLanes = 16, kRows = 12, kVectors = 2;
  using Sums = __m512;
  using Pairs = __m512i;

  UMBRA_BF16_INLINE Sums zero() { return _mm512_setzero_ps(); }
  UMBRA_BF16_INLINE Pairs load(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  UMBRA_BF16_INLINE Pairs broadcast(const std::uint32_t* p) {
    return _mm512_set1_epi32(static_cast<int>(*p));
  }
  UMBRA_BF16_INLINE Sums dot(Sums sums, Pairs a, Pairs b) {
    return _mm512_dpbf16_ps(sums, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  // The first `count` (1 … kLanes) sums; memory after them is not accessed.
  UMBRA_BF16_INLINE Sums load_first(const float* p, std::int64_t count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p);
  }
  UMBRA_BF16_INLINE void store_first(float* p, Sums sums, std::int64_t count) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), sums);
  }
  UMBRA_BF16_INLINE void store_first(std::uint32_t* p, Pairs pairs, std::int64_t count) {
    _mm512_mask_storeu_epi32(p, static_cast<__mmask16>((1u << count) - 1), pairs);
  }
  /// Pairs (low[l], high[l]), rounded.
  UMBRA_BF16_INLINE Pairs pair(Sums low, Sums high) {
    // Lane l takes the halves l and 16 + l of the conversion, which puts `low` into the lower 256 bits.
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i order =
        _mm512_or_si512(lane, _mm512_slli_epi32(_mm512_add_epi32(lane, _mm512_set1_epi32(kLanes)), 16));
    return _mm512_permutexvar_epi16(order, reinterpret_cast<Pairs>(_mm512_cvtne2ps_pbh(high, low)));
  }
  /// Pairs (p[0], p[1]), (p[2], p[3]), …, rounded.
  UMBRA_BF16_INLINE Pairs neighbours(const float* p) {
    return reinterpret_cast<Pairs>(_mm512_cvtne2ps_pbh(_mm512_loadu_ps(p + kLanes), _mm512_loadu_ps(p)));
  }
};

#elif defined(__aarch64__)

#define UMBRA_BF16_TARGET __attribute__((target("arch=armv8.2-a+bf16")))
#define UMBRA_BF16_INLINE UMBRA_BF16_TARGET __attribute__((always_inline)) static inline

inline bool cpu_has_bf16_dot() {
  constexpr unsigned long kHwcap2Bf16 = 1ul << 14;  // HWCAP2_BF16 of Linux
  static const bool has = (getauxval(AT_HWCAP2) & kHwcap2Bf16) != 0;
  return has;
}

struct Bf16Dot {
  static constexpr int kLanes = 4, kRows = 6, kVectors = 4;
  using Sums = float32x4_t;
  using Pairs = uint32x4_t;

  UMBRA_BF16_INLINE Sums zero() { return vdupq_n_f32(0); }
  UMBRA_BF16_INLINE Pairs load(const std::uint32_t* p) { return vld1q_u32(p); }
  UMBRA_BF16_INLINE Pairs broadcast(const std::uint32_t* p) { return vdupq_n_u32(*p); }
  UMBRA_BF16_INLINE Sums dot(Sums sums, Pairs a, Pairs b) {
    return vbfdotq_f32(sums, vreinterpretq_bf16_u32(a), vreinterpretq_bf16_u32(b));
  }
  UMBRA_BF16_INLINE Sums load_first(const float* p, std::int64_t count) {
    if (count == kLanes) return vld1q_f32(p);
    float all[kLanes] = {};
    for (std::int64_t i = 0; i < count; ++i) all[i] = p[i];
    return vld1q_f32(all);
  }
  UMBRA_BF16_INLINE void store_first(float* p, Sums sums, std::int64_t count) {
    if (count == kLanes) return vst1q_f32(p, sums);
    float all[kLanes];
    vst1q_f32(all, sums);
    for (std::int64_t i = 0; i < count; ++i) p[i] = all[i];
  }
  UMBRA_BF16_INLINE void store_first(std::uint32_t* p, Pairs pairs, std::int64_t count) {
    if (count == kLanes) return vst1q_u32(p, pairs);
    std::uint32_t all[kLanes];
    vst1q_u32(all, pairs);
    for (std::int64_t i = 0; i < count; ++i) p[i] = all[i];
  }
  /// Pairs (low[l], high[l]), rounded.
  UMBRA_BF16_INLINE Pairs pair(Sums low, Sums high) {
    const uint16x8_t l = vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(low));
    return vreinterpretq_u32_u16(vzip1q_u16(l, vreinterpretq_u16_bf16(vcvtq_low_bf16_f32(high))));
  }
  /// Pairs (p[0], p[1]), (p[2], p[3]), …, rounded.
  UMBRA_BF16_INLINE Pairs neighbours(const float* p) {
    return vreinterpretq_u32_bf16(
        vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(vld1q_f32(p)), vld1q_f32(p + kLanes)));
  }
};

#else

#define UMBRA_BF16_TARGET
#define UMBRA_BF16_INLINE static inline

inline bool cpu_has_bf16_dot() {
  return false;
}

#endif

}  // namespace umbra

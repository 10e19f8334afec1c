// A warp's matrix multiplication on tensor cores from compute capability 8.0 on, for nvcc; the version for
// the host is engine/cuda/emulator/mma.h. engine/cuda/tile/mma_places.h defines which lane holds which
// element.
#pragma once

#include "cuda_grid.h"
#include "engine/base/precision.h"

namespace umbra {

/// The bits of the TF32 number (1 sign, 8 exponent, 10 mantissa bits) nearest to the value, ties away from
/// zero. A tensor core itself would truncate the unused bits (PTX ISA, cvt: ".rna", ".tf32").
__device__ __forceinline__ unsigned to_tf32(float value) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return bits;
}
/// Two BF16 numbers, each the nearest to its value, ties to even (PTX ISA, cvt: of two sources the first one
/// goes to the upper half).
__device__ __forceinline__ unsigned to_bf16x2(float low, float high) {
  unsigned bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}

/// d += a b: 16 x 8 sums over 8 TF32 numbers each. All lanes of a warp call it together.
__device__ __forceinline__ void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
/// The same, over 16 BF16 numbers each, in pairs.
__device__ __forceinline__ void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// sums[i][j] += rows[i] columns[j] for a warp's tile of pieces of 16 x 8 sums.
template <Precision kPrecision, int kRows, int kColumns>
__device__ __forceinline__ void mma_pieces(float (&sums)[kRows][kColumns][4],
                                           const unsigned (&rows)[kRows][4],
                                           const unsigned (&columns)[kColumns][2]) {
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
#pragma unroll
    for (int j = 0; j < kColumns; ++j) {
      if constexpr (kPrecision == Precision::kTf32) {
        mma_tf32(sums[i][j], rows[i], columns[j]);
      } else {
        mma_bf16(sums[i][j], rows[i], columns[j]);
      }
    }
  }
}

/// The 8 x 8 sums over four numbers each, in double, of two pieces below each other: upper += a b, lower += c
/// b. All lanes of a warp call it together. Hopper is expected to take as long for one piece as for both.
__device__ __forceinline__ void mma_f64(double (&upper)[2], double (&lower)[2], double a, double c,
                                        double b) {
  if constexpr (kHopperCode) {
    asm volatile(
        "mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+d"(upper[0]), "+d"(upper[1]), "+d"(lower[0]), "+d"(lower[1])
        : "d"(a), "d"(c), "d"(b));
  } else {
    asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
                 : "+d"(upper[0]), "+d"(upper[1])
                 : "d"(a), "d"(b));
    asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
                 : "+d"(lower[0]), "+d"(lower[1])
                 : "d"(c), "d"(b));
  }
}
/// sums[i][j] += rows[i] columns[j] for a warp's tile of pieces of 8 x 8 sums; kUpper: only where j >= i (of
/// other sums nothing is known).
template <bool kUpper, int kPieces>
__device__ __forceinline__ void mma_f64_pieces(double (&sums)[kPieces][kPieces][2],
                                               const double (&rows)[kPieces],
                                               const double (&columns)[kPieces]) {
  static_assert(kPieces % 2 == 0);
#pragma unroll
  for (int i = 0; i < kPieces; i += 2) {
#pragma unroll
    for (int j = kUpper ? i : 0; j < kPieces; ++j)
      mma_f64(sums[i][j], sums[i + 1][j], rows[i], rows[i + 1], columns[j]);
  }
}

}  // namespace umbra

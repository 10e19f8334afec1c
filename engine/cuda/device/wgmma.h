// The tensor cores of Hopper, for nvcc; engine/cuda/emulator has the version for the host. A warpgroup, four
// warps starting at a multiple of four, multiplies together:
//     d (64 x kN, in registers) = a (64 x k) b (k x kN) [+ d]
// where k is 32 bytes of either operand, 16 bf16 or 8 tf32. The instruction is asynchronous and reads its
// operands from shared memory, where descriptors locate them (operand_layout.h). (PTX ISA: "Asynchronous
// Warpgroup Level Matrix Instructions".)
//
// The order, by all 128 threads:
//     wgmma_fence(d); wgmma(d, …); wgmma(d, …); wgmma_commit(); … wgmma_wait<0>(d); now d may be read.
// Between the first wgmma and the wait, d must not be accessed: ptxas would make every wgmma wait for the
// previous one (its messages C7514 and C7517, which stop the build). wgmma_wait<n>() leaves the n most recent
// groups in flight. With accumulators as arguments it also informs the compiler that they change there, so
// pass those that are read next. TF32 operands are floats whose last 13 bits are not read (the kernel has to
// round them), and both are K-major: only 16-bit operands can be MN-major.
#pragma once

#include <cstdint>

#include "cuda_grid.h"
#include "engine/base/precision.h"
#include "engine/cuda/tile/operand_layout.h"

namespace umbra {

// Sixteen registers of an asm statement each, as its text and as its operands.
#define UMBRA_R0 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define UMBRA_R16 ",%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define UMBRA_R32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47"
#define UMBRA_R48 ",%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define UMBRA_R64 ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79"
#define UMBRA_R80 ",%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95"
#define UMBRA_R96 ",%96,%97,%98,%99"
#define UMBRA_R100 ",%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111"
#define UMBRA_R112 ",%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
#define UMBRA_D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define UMBRA_D16(i) UMBRA_D4(i), UMBRA_D4(i + 4), UMBRA_D4(i + 8), UMBRA_D4(i + 12)
#define UMBRA_D32(i) UMBRA_D16(i), UMBRA_D16(i + 16)
#define UMBRA_N32 UMBRA_R0
#define UMBRA_N64 UMBRA_N32 UMBRA_R16
#define UMBRA_N128 UMBRA_N64 UMBRA_R32 UMBRA_R48
#define UMBRA_N200 UMBRA_N128 UMBRA_R64 UMBRA_R80 UMBRA_R96
#define UMBRA_N256 UMBRA_N200 UMBRA_R100 UMBRA_R112
#define UMBRA_OUT32 UMBRA_D16(0)
#define UMBRA_OUT64 UMBRA_D32(0)
#define UMBRA_OUT128 UMBRA_D32(0), UMBRA_D32(32)
#define UMBRA_OUT200 UMBRA_OUT128, UMBRA_D32(64), UMBRA_D4(96)
#define UMBRA_OUT256 UMBRA_OUT128, UMBRA_D32(64), UMBRA_D32(96)

// One statement: N, the text of k and the types, and the numbers of the operands after d: a, b, whether to
// add to d (a predicate), whether a and b are MN-major (for 16-bit types only).
#define UMBRA_WGMMA(n, types, a, b, add, across, ...)                                                   \
  asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, %" #add                                            \
               ", 0;\n"                                                                                 \
               "wgmma.mma_async.sync.aligned.m64n" #n types " {" UMBRA_N##n "}, " a ", %" #b            \
                                                                            ", add, 1, 1" across ";\n}" \
               : UMBRA_OUT##n                                                                           \
               : __VA_ARGS__)
#define UMBRA_BF16(n, a, b, add, across_a, across_b)                                                         \
  UMBRA_WGMMA(n, "k16.f32.bf16.bf16", "%" #a, b, add, ", %" #across_a ", %" #across_b, "l"(a_of), "l"(b_of), \
              "r"(static_cast<int>(add_to)), "n"(kA == Major::kMN ? 1 : 0), "n"(kB == Major::kMN ? 1 : 0))
#define UMBRA_TF32(n, a, b, add) \
  UMBRA_WGMMA(n, "k8.f32.tf32.tf32", "%" #a, b, add, "", "l"(a_of), "l"(b_of), "r"(static_cast<int>(add_to)))
#define UMBRA_FROM_REGISTERS "r"(a_of[0]), "r"(a_of[1]), "r"(a_of[2]), "r"(a_of[3]), "l"(b_of)
#define UMBRA_REGISTERS_BF16(n, a, b, add, across_b)                                    \
  UMBRA_WGMMA(n, "k16.f32.bf16.bf16", a, b, add, ", %" #across_b, UMBRA_FROM_REGISTERS, \
              "r"(static_cast<int>(add_to)), "n"(kB == Major::kMN ? 1 : 0))
#define UMBRA_REGISTERS_TF32(n, a, b, add) \
  UMBRA_WGMMA(n, "k8.f32.tf32.tf32", a, b, add, "", UMBRA_FROM_REGISTERS, "r"(static_cast<int>(add_to)))

/// Issues d = a b + (add_to ? d : 0). wgmma_d_place() defines which elements d holds.
template <Precision kPrecision, int kN, Major kA, Major kB>
__device__ inline void wgmma(float (&d)[kN / 2], std::uint64_t a_of, std::uint64_t b_of, bool add_to) {
  static_assert(kN == 32 || kN == 64 || kN == 128 || kN == 200 || kN == 256);
  static_assert(kPrecision == Precision::kBf16 || kPrecision == Precision::kTf32);
  static_assert(kPrecision == Precision::kBf16 || (kA == Major::kK && kB == Major::kK),
                "TF32 operands are K-major");
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  if constexpr (kPrecision == Precision::kBf16) {
    if constexpr (kN == 32) UMBRA_BF16(32, 16, 17, 18, 19, 20);
    if constexpr (kN == 64) UMBRA_BF16(64, 32, 33, 34, 35, 36);
    if constexpr (kN == 128) UMBRA_BF16(128, 64, 65, 66, 67, 68);
    if constexpr (kN == 200) UMBRA_BF16(200, 100, 101, 102, 103, 104);
    if constexpr (kN == 256) UMBRA_BF16(256, 128, 129, 130, 131, 132);
  } else {
    if constexpr (kN == 32) UMBRA_TF32(32, 16, 17, 18);
    if constexpr (kN == 64) UMBRA_TF32(64, 32, 33, 34);
    if constexpr (kN == 128) UMBRA_TF32(128, 64, 65, 66);
    if constexpr (kN == 200) UMBRA_TF32(200, 100, 101, 102);
    if constexpr (kN == 256) UMBRA_TF32(256, 128, 129, 130);
  }
#else
  __trap();
#endif
}

/// The same with a in registers, which hold the elements defined by wgmma_a_place(), a K-major layout.
template <Precision kPrecision, int kN, Major kB>
__device__ inline void wgmma_registers(float (&d)[kN / 2], const unsigned (&a_of)[4], std::uint64_t b_of,
                                       bool add_to) {
  static_assert(kN == 32 || kN == 64);
  static_assert(kPrecision == Precision::kBf16 || kPrecision == Precision::kTf32);
  static_assert(kPrecision == Precision::kBf16 || kB == Major::kK, "TF32 operands are K-major");
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  if constexpr (kPrecision == Precision::kBf16) {
    if constexpr (kN == 32) UMBRA_REGISTERS_BF16(32, "{%16, %17, %18, %19}", 20, 21, 22);
    if constexpr (kN == 64) UMBRA_REGISTERS_BF16(64, "{%32, %33, %34, %35}", 36, 37, 38);
  } else {
    if constexpr (kN == 32) UMBRA_REGISTERS_TF32(32, "{%16, %17, %18, %19}", 20, 21);
    if constexpr (kN == 64) UMBRA_REGISTERS_TF32(64, "{%32, %33, %34, %35}", 36, 37);
  }
#else
  __trap();
#endif
}

#undef UMBRA_R0
#undef UMBRA_R16
#undef UMBRA_R32
#undef UMBRA_R48
#undef UMBRA_R64
#undef UMBRA_R80
#undef UMBRA_R96
#undef UMBRA_R100
#undef UMBRA_R112
#undef UMBRA_D4
#undef UMBRA_D16
#undef UMBRA_D32
#undef UMBRA_N32
#undef UMBRA_N64
#undef UMBRA_N128
#undef UMBRA_N200
#undef UMBRA_N256
#undef UMBRA_OUT32
#undef UMBRA_OUT64
#undef UMBRA_OUT128
#undef UMBRA_OUT200
#undef UMBRA_OUT256
#undef UMBRA_WGMMA
#undef UMBRA_BF16
#undef UMBRA_TF32
#undef UMBRA_FROM_REGISTERS
#undef UMBRA_REGISTERS_BF16
#undef UMBRA_REGISTERS_TF32

namespace wgmma_detail {
/// The compiler moves no use of d across this.
template <int kCount>
__device__ inline void pin(float (&d)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) asm volatile("" : "+f"(d[i])::"memory");
}
template <int kMany, int kCount>
__device__ inline void pin(float (&d)[kMany][kCount]) {
#pragma unroll
  for (int i = 0; i < kMany; ++i) pin(d[i]);
}
}  // namespace wgmma_detail

/// Call it before the first wgmma, and whenever registers that the next one reads (d or a) have been written.
template <class... Accumulators>
__device__ inline void wgmma_fence(Accumulators&... d) {
  (wgmma_detail::pin(d), ...);
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#else
  __trap();
#endif
}

/// Makes a group of the wgmmas issued since the previous commit.
__device__ inline void wgmma_commit() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#else
  __trap();
#endif
}

/// Waits until at most the kLeft most recent groups are in flight.
template <int kLeft, class... Accumulators>
__device__ inline void wgmma_wait(Accumulators&... d) {
  static_assert(kLeft >= 0 && kLeft <= 7);
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kLeft) : "memory");
#else
  __trap();
#endif
  (wgmma_detail::pin(d), ...);
}

/// A whole warpgroup releases registers (down to kRegisters per thread), or acquires some (up to kRegisters)
/// once enough have been released. A kernel that calls these needs __launch_bounds__(threads, 1), including
/// the 1: otherwise ptxas ignores them (C7508).
template <int kRegisters>
__device__ inline void register_release() {
  static_assert(kRegisters >= 24 && kRegisters <= 256 && kRegisters % 8 == 0);
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
#else
  __trap();
#endif
}
template <int kRegisters>
__device__ inline void register_take() {
  static_assert(kRegisters >= 24 && kRegisters <= 256 && kRegisters % 8 == 0);
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
#else
  __trap();
#endif
}

/// True for one lane of a whole warp, the same one every time (elect.sync); do not rely on which one.
__device__ inline bool one_of_warp() {
  unsigned elected = 0;
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile(
      "{\n"
      ".reg .pred elected;\n"
      "elect.sync _|elected, 0xffffffff;\n"
      "selp.u32 %0, 1, 0, elected;\n"
      "}"
      : "=r"(elected));
#else
  __trap();
#endif
  return elected != 0;
}

}  // namespace umbra

// One tile's product with operands that the threads write themselves, each element at operand_byte(): checks
// operand_layout.h against wgmma.
#pragma once

#include "cuda_grid.h"
#include "mbarrier.h"
#include "wgmma.h"

namespace umbra::cuda_test {

enum class Fence { kNone, kBeforeWrites, kBehindWrites };  // the last is right

struct ProductShared {
  alignas(1024) unsigned char a[64 * 128], b[256 * 128];
};

// The layout in shared memory of an operand of kCount rows or columns and kRow bytes of k.
template <int kBytes, Major kMajor, int kCount, int kRow>
struct Placed {
  static constexpr int kSteps = kRow / kBytes, kOneSteps = 32 / kBytes;  // along k; of one wgmma
  static constexpr bool kAcross = kMajor == Major::kMN;
  // Across, a row holds 64 or, where there are no more, 32 elements of the other index.
  static constexpr int kWide = kAcross ? (kCount * kBytes < 128 ? 64 : 128) : kRow;
  static constexpr Swizzle kSwizzle = kWide == 128 ? Swizzle::k128 : Swizzle::k64;

  static __device__ std::uint64_t descriptor(unsigned start, int step) {
    const unsigned from = start + static_cast<unsigned>(kAcross ? step * kOneSteps * kWide : step * 32);
    return wgmma_descriptor(from, kSteps * kWide, 8 * kWide, kSwizzle);
  }
  // [kCount][kSteps] in memory.
  template <class Number>
  static __device__ void fill(unsigned char* shared, const Number* from) {
    const unsigned start = shared_address(shared);
    for (int i = static_cast<int>(threadIdx.x); i < kCount * kSteps; i += static_cast<int>(blockDim.x)) {
      const int mn = i / kSteps, k = i % kSteps;
      const unsigned at = operand_byte(descriptor(start, k / kOneSteps), kMajor, kBytes, mn, k % kOneSteps);
      *reinterpret_cast<Number*>(shared + (at - start)) = from[i];
    }
  }
};

template <class Number, Precision kPrecision, int kN, Major kA, Major kB, int kRow, bool kInRegisters,
          Fence kFence = Fence::kBehindWrites>
__global__ void __launch_bounds__(128, 1) product(const Number* a, const Number* b, float* c) {
  using A = Placed<sizeof(Number), kA, 64, kRow>;
  using B = Placed<sizeof(Number), kB, kN, kRow>;
  ProductShared& shared = shared_memory<ProductShared>();
  const int thread = static_cast<int>(threadIdx.x);
  if constexpr (kFence == Fence::kBeforeWrites) async_proxy_fence();
  if constexpr (!kInRegisters) A::fill(shared.a, a);
  B::fill(shared.b, b);
  if constexpr (kFence == Fence::kBehindWrites) async_proxy_fence();
  __syncthreads();
  float d[kN / 2];
  constexpr int kWgmmas = kRow / 32;
  if constexpr (kInRegisters) {
    unsigned held[kWgmmas][4];
#pragma unroll
    for (int i = 0; i < 4 * kWgmmas; ++i) {
      const Place2 at = wgmma_a_place(thread, i % 4, sizeof(Number));
      held[i / 4][i % 4] =
          *reinterpret_cast<const unsigned*>(a + at.row * A::kSteps + i / 4 * A::kOneSteps + at.column);
    }
    wgmma_fence(d);
#pragma unroll
    for (int s = 0; s < kWgmmas; ++s)
      wgmma_registers<kPrecision, kN, kB>(d, held[s], B::descriptor(shared_address(shared.b), s), s > 0);
  } else {
    wgmma_fence(d);
#pragma unroll
    for (int s = 0; s < kWgmmas; ++s)
      wgmma<kPrecision, kN, kA, kB>(d, A::descriptor(shared_address(shared.a), s),
                                    B::descriptor(shared_address(shared.b), s), s > 0);
  }
  wgmma_commit();
  wgmma_wait<0>(d);
  for (int i = 0; i < kN / 2; ++i) {
    const Place2 at = wgmma_d_place(thread, i);
    c[at.row * kN + at.column] = d[i];
  }
}

}  // namespace umbra::cuda_test

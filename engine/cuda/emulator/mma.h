// A warp's matrix multiplication for the host, the counterpart of engine/cuda/device/mma.h. Products are
// exact and are added one after the other in fp32; a tensor core adds them in another order and rounds
// differently. As on a tensor core, only the upper 19 bits of a TF32 operand count, which detects a kernel
// that forgets to round.
#pragma once

#include <bit>
#include <cstdint>

#include "cuda_grid.h"
#include "engine/base/precision.h"
#include "engine/cuda/tile/mma_places.h"

namespace umbra {

inline unsigned to_tf32(float value) {
  return std::bit_cast<std::uint32_t>(round_to_tf32(value));
}
inline unsigned to_bf16x2(float low, float high) {
  return bf16_bits(low) | bf16_bits(high) << 16;
}

namespace emulator {

/// Which lane holds a word of A or B, and in which register i.
struct MmaHolders {
  struct Holder {
    unsigned char lane, i;
  };
  Holder a[kMmaRows][kMmaWords], b[kMmaColumns][kMmaWords];
};
constexpr MmaHolders mma_holders() {
  MmaHolders holders{};
  for (unsigned char lane = 0; lane < 32; ++lane) {
    for (unsigned char i = 0; i < 4; ++i)
      holders.a[mma_a_place(lane, i).line][mma_a_place(lane, i).word] = {lane, i};
    for (unsigned char i = 0; i < 2; ++i)
      holders.b[mma_b_place(lane, i).line][mma_b_place(lane, i).word] = {lane, i};
  }
  return holders;
}

/// d += a b, where dot(sum, word of a, word of b) adds the products of two words.
template <class Dot>
void multiply_in_warp(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const Dot& dot) {
  static constexpr MmaHolders kHolders = mma_holders();
  struct Operands {
    const unsigned *a, *b;
  };
  const Operands mine{a, b};
  meet_in_warp(kFullWarp, reinterpret_cast<std::uintptr_t>(&mine), [&](const std::uint64_t* given) {
    const auto of = [&](int lane) -> const Operands& {
      return *reinterpret_cast<const Operands*>(static_cast<std::uintptr_t>(given[lane]));
    };
    for (int i = 0; i < 4; ++i) {
      const MmaResultPlace at = mma_d_place(static_cast<int>(lane()), i);
      for (int word = 0; word < kMmaWords; ++word) {
        const MmaHolders::Holder x = kHolders.a[at.row][word], y = kHolders.b[at.column][word];
        d[i] = dot(d[i], of(x.lane).a[x.i], of(y.lane).b[y.i]);
      }
    }
  });
}

}  // namespace emulator

inline void mma_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulator::multiply_in_warp(d, a, b, [](float sum, unsigned x, unsigned y) {
    return sum + std::bit_cast<float>(x & ~0x1fffu) * std::bit_cast<float>(y & ~0x1fffu);
  });
}
inline void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  emulator::multiply_in_warp(d, a, b, [](float sum, unsigned x, unsigned y) {
    sum += std::bit_cast<float>(x << 16) * std::bit_cast<float>(y << 16);
    return sum + std::bit_cast<float>(x & 0xffff0000u) * std::bit_cast<float>(y & 0xffff0000u);
  });
}

}  // namespace umbra

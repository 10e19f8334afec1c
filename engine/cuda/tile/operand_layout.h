// The layout of the operands of tensor-core instructions: swizzled shared memory, the descriptors that locate
// an operand for a wgmma, and which thread holds which element in registers. Plain constexpr functions,
// shared by kernels, the emulator and tests (tests/cuda/operand_layout_test.cpp checks them against each
// other), after the PTX ISA's chapter on wgmma and CUTLASS' canonical layouts (mma_traits_sm90_gmma.hpp).
#pragma once

#include <cstdint>

namespace umbra {

/// The pattern in which 16-byte chunks of shared memory are permuted, named by the bytes of its rows. Eight
/// rows are an atom, and an atom begins at a multiple of its size: 1024, 512 or 256 bytes.
enum class Swizzle { kNone, k32, k64, k128 };

/// Which index of an operand is contiguous in memory: K, the summed one, or the other one, M or N.
enum class Major { kK, kMN };

constexpr unsigned swizzle_row(Swizzle swizzle) {
  return swizzle == Swizzle::k128 ? 128 : swizzle == Swizzle::k64 ? 64 : swizzle == Swizzle::k32 ? 32 : 16;
}
constexpr unsigned swizzle_atom(Swizzle swizzle) {
  return 8 * swizzle_row(swizzle);
}

/// The address of the byte that would be at `byte_address` without a swizzle. It depends on the address in
/// shared memory, not on the place in a tile: address bits 4-6 are XORed with bits 7-9 (128-byte rows), 4-5
/// with 7-8 (64), 4 with 7 (32). The function is its own inverse.
constexpr unsigned swizzled(unsigned byte_address, Swizzle swizzle) {
  const unsigned chunks = swizzle_row(swizzle) / 16 - 1;  // mask of the chunk number in a row
  return byte_address ^ ((byte_address >> 7 & chunks) << 4);
}

/// The 64 bits that describe an operand's start and strides to a wgmma. operand_byte() below defines the
/// meaning of `leading_bytes` and `stride_bytes`. Addresses and strides are multiples of 16.
constexpr std::uint64_t wgmma_descriptor(unsigned shared_address, unsigned leading_bytes,
                                         unsigned stride_bytes, Swizzle swizzle) {
  constexpr std::uint64_t k14Bits = 0x3fff;
  const std::uint64_t pattern = swizzle == Swizzle::k128  ? 1
                                : swizzle == Swizzle::k64 ? 2
                                : swizzle == Swizzle::k32 ? 3
                                                          : 0;
  return (shared_address >> 4 & k14Bits) | (leading_bytes >> 4 & k14Bits) << 16 |
         (stride_bytes >> 4 & k14Bits) << 32 | pattern << 62;
}

/// The parts of a descriptor.
struct DescribedOperand {
  unsigned start, leading, stride;
  Swizzle swizzle;
};
constexpr DescribedOperand described(std::uint64_t descriptor) {
  constexpr Swizzle kPatterns[] = {Swizzle::kNone, Swizzle::k128, Swizzle::k64, Swizzle::k32};
  const auto field = [descriptor](int bit) { return static_cast<unsigned>(descriptor >> bit & 0x3fff) << 4; };
  return {field(0), field(16), field(32), kPatterns[descriptor >> 62]};
}

/// The address at which a wgmma reads element (mn, k) of an operand; k counts from the start of the
/// instruction's 32 bytes (16 bf16 or 8 tf32), mn from its first row or column.
///   K-major, swizzled: groups of eight mn are `stride` apart, a row of 32, 64 or 128 bytes per mn; `leading`
///     is ignored. The next 32 bytes of k are the next 32 bytes of the row: start + 32.
///   MN-major, swizzled: a row of 32, 64 or 128 bytes of mn per k; groups of eight k are `stride` apart, and
///     groups of mn that fill a row (64 bf16 for 128 bytes) are `leading` apart. The next 16 k are two
///     strides further.
///   Without swizzle: cores of 8 x 16 bytes, contiguous. K-major: the two cores of k are `leading` apart,
///     groups of eight mn `stride`. MN-major: groups of eight k are `leading` apart, 16 bytes of mn `stride`.
constexpr unsigned operand_byte(std::uint64_t descriptor, Major major, int element_bytes, int mn, int k) {
  const DescribedOperand operand = described(descriptor);
  const unsigned row = swizzle_row(operand.swizzle), bytes = static_cast<unsigned>(element_bytes);
  const bool plain = operand.swizzle == Swizzle::kNone;
  const auto m = static_cast<unsigned>(mn), n = static_cast<unsigned>(k);
  unsigned offset = 0;
  if (major == Major::kK) {
    offset = m / 8 * operand.stride + m % 8 * row;
    offset += plain ? n * bytes / 16 * operand.leading + n * bytes % 16 : n * bytes;
  } else {
    const unsigned across = plain ? operand.stride : operand.leading;
    const unsigned along = plain ? operand.leading : operand.stride;
    offset = m * bytes / row * across + m * bytes % row + n / 8 * along + n % 8 * row;
  }
  return swizzled(operand.start + offset, operand.swizzle);
}

struct Place2 {
  int row, column;
};

/// The element of the 64 x N result in accumulator `i` of a thread; threads of a warpgroup are numbered from
/// 0 to 127, and warp w has rows 16 w to 16 w + 15.
constexpr Place2 wgmma_d_place(int thread_of_warpgroup, int i) {
  const int warp = thread_of_warpgroup / 32, lane = thread_of_warpgroup % 32;
  return {16 * warp + lane / 4 + i / 2 % 2 * 8, i / 4 * 8 + lane % 4 * 2 + i % 2};
}

/// The element (row, k) of an A operand in register `i` (0 to 3) of a thread: a tf32 number, or the first of
/// a pair of bf16, in the lower half; the second has the next k.
constexpr Place2 wgmma_a_place(int thread_of_warpgroup, int i, int element_bytes) {
  const int warp = thread_of_warpgroup / 32, lane = thread_of_warpgroup % 32;
  const int wide = element_bytes == 2 ? 2 : 1;  // elements of a register
  return {16 * warp + lane / 4 + i % 2 * 8, (lane % 4 + i / 2 * 4) * wide};
}

}  // namespace umbra

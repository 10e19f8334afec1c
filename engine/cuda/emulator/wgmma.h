// The tensor cores of Hopper for the host; engine/cuda/device/wgmma.h documents the functions.
#pragma once

#include <cstdint>

#include "cuda_grid.h"
#include "engine/base/precision.h"
#include "engine/cuda/emulator/async.h"
#include "engine/cuda/tile/operand_layout.h"

namespace umbra {

template <Precision kPrecision, int kN, Major kA, Major kB>
void wgmma(float (&d)[kN / 2], std::uint64_t a_of, std::uint64_t b_of, bool add_to) {
  static_assert(kN == 32 || kN == 64 || kN == 128 || kN == 200 || kN == 256);
  static_assert(kPrecision == Precision::kBf16 || kPrecision == Precision::kTf32);
  static_assert(kPrecision == Precision::kBf16 || (kA == Major::kK && kB == Major::kK),
                "TF32 operands are K-major");
  constexpr int kBytes = kPrecision == Precision::kBf16 ? 2 : 4;
  emulator::wgmma_issue({kN, kBytes, kA, kB, false, add_to, a_of, b_of}, d, nullptr);
}

template <Precision kPrecision, int kN, Major kB>
void wgmma_registers(float (&d)[kN / 2], const unsigned (&a_of)[4], std::uint64_t b_of, bool add_to) {
  static_assert(kN == 32 || kN == 64);
  static_assert(kPrecision == Precision::kBf16 || kPrecision == Precision::kTf32);
  static_assert(kPrecision == Precision::kBf16 || kB == Major::kK, "TF32 operands are K-major");
  constexpr int kBytes = kPrecision == Precision::kBf16 ? 2 : 4;
  emulator::wgmma_issue({kN, kBytes, Major::kK, kB, true, add_to, 0, b_of}, d, a_of);
}

template <class... Accumulators>
void wgmma_fence(Accumulators&...) {
  emulator::wgmma_fence();
}
inline void wgmma_commit() {
  emulator::wgmma_commit();
}
template <int kLeft, class... Accumulators>
void wgmma_wait(Accumulators&...) {
  static_assert(kLeft >= 0 && kLeft <= 7);
  emulator::wgmma_wait(kLeft);
}

template <int kRegisters>
void register_release() {
  static_assert(kRegisters >= 24 && kRegisters <= 256 && kRegisters % 8 == 0);
  emulator::set_registers(kRegisters);
}
template <int kRegisters>
void register_take() {
  static_assert(kRegisters >= 24 && kRegisters <= 256 && kRegisters % 8 == 0);
  emulator::set_registers(kRegisters);
}
inline bool one_of_warp() {
  return emulator::one_of_warp();
}

}  // namespace umbra

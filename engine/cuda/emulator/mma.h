// A warp's matrix multiplication for the host, the counterpart of engine/cuda/device/mma.h. Products are
// exact and are added one after the other in fp32; a tensor core adds them in another order and rounds
// differently. As on a tensor core, only the upper 19 bits of a TF32 operand count, which detects a kernel
// that forgets to round.
#pragma once

#include <bit>
#include <cstddef>
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

/// How many numbers a word of an operand contains. number_in_word() returns them in the order of the sum.
template <Precision kPrecision>
inline constexpr int kNumbersOfWord = kPrecision == Precision::kBf16 ? 2 : 1;
template <Precision kPrecision>
float number_in_word(unsigned word, int i) {
  if constexpr (kPrecision == Precision::kBf16)
    return std::bit_cast<float>(i == 0 ? word << 16 : word & 0xffff0000u);
  return std::bit_cast<float>(word & ~0x1fffu);
}

/// One lane's part of a tile of pieces.
template <int kRows, int kColumns>
struct MmaPieces {
  float (&sums)[kRows][kColumns][4];
  const unsigned (&rows)[kRows][4];
  const unsigned (&columns)[kColumns][2];
};

/// Computes the products of all lanes of a warp.
template <Precision kPrecision, int kRows, int kColumns>
void multiply_pieces(const WarpOffers& offers) {
  constexpr int kNumbers = kNumbersOfWord<kPrecision>, kSteps = kMmaWords * kNumbers;
  using Pieces = MmaPieces<kRows, kColumns>;
  const auto of = [&](int lane) -> const Pieces& {
    return *static_cast<const Pieces*>(offers[static_cast<std::size_t>(lane)]);
  };
  float b[kColumns][kSteps][kMmaColumns];
  for (int lane = 0; lane < 32; ++lane) {
    for (int j = 0; j < kColumns; ++j) {
      for (int i = 0; i < 2 * kNumbers; ++i) {
        const MmaOperandPlace at = mma_b_place(lane, i / kNumbers);
        b[j][at.word * kNumbers + i % kNumbers][at.line] =
            number_in_word<kPrecision>(of(lane).columns[j][i / kNumbers], i % kNumbers);
      }
    }
  }
  for (int piece = 0; piece < kRows; ++piece) {
    float a[kMmaRows][kSteps];
    for (int lane = 0; lane < 32; ++lane) {
      for (int i = 0; i < 4 * kNumbers; ++i) {
        const MmaOperandPlace at = mma_a_place(lane, i / kNumbers);
        a[at.line][at.word * kNumbers + i % kNumbers] =
            number_in_word<kPrecision>(of(lane).rows[piece][i / kNumbers], i % kNumbers);
      }
    }
    for (int j = 0; j < kColumns; ++j) {
      float d[kMmaRows][kMmaColumns];
      const auto for_each_sum = [&](const auto& body) {
        for (int lane = 0; lane < 32; ++lane) {
          for (int i = 0; i < 4; ++i) {
            const MmaResultPlace at = mma_d_place(lane, i);
            body(d[at.row][at.column], of(lane).sums[piece][j][i]);
          }
        }
      };
      for_each_sum([](float& mine, float theirs) { mine = theirs; });
      for (int row = 0; row < kMmaRows; ++row) {
        for (int step = 0; step < kSteps; ++step) {
          for (int column = 0; column < kMmaColumns; ++column)
            d[row][column] += a[row][step] * b[j][step][column];
        }
      }
      for_each_sum([](float mine, float& theirs) { theirs = mine; });
    }
  }
}

/// One lane's part of a tile of pieces in double.
template <int kPieces>
struct MmaF64Pieces {
  double (&sums)[kPieces][kPieces][2];
  const double (&rows)[kPieces];
  const double (&columns)[kPieces];
};

template <bool kUpper, int kPieces>
void multiply_f64_pieces(const WarpOffers& offers) {
  using Numbers = double[kPieces][kMmaF64Numbers][kMmaF64Lines];
  const auto of = [&](int lane) -> const MmaF64Pieces<kPieces>& {
    return *static_cast<const MmaF64Pieces<kPieces>*>(offers[static_cast<std::size_t>(lane)]);
  };
  Numbers a, b;
  for (int lane = 0; lane < 32; ++lane) {
    const MmaOperandPlace at = mma_b_place(lane, 0);
    for (int i = 0; i < kPieces; ++i) {
      a[i][at.word][at.line] = of(lane).rows[i];
      b[i][at.word][at.line] = of(lane).columns[i];
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    for (int e = 0; e < 2; ++e) {
      const MmaResultPlace at = mma_d_place(lane, e);
      for (int i = 0; i < kPieces; ++i) {
        for (int j = kUpper ? i : 0; j < kPieces; ++j) {
          double& sum = of(lane).sums[i][j][e];
          for (int k = 0; k < kMmaF64Numbers; ++k)
            sum = __builtin_fma(a[i][k][at.row], b[j][k][at.column], sum);
        }
      }
    }
  }
}

}  // namespace emulator

template <bool kUpper, int kPieces>
void mma_f64_pieces(double (&sums)[kPieces][kPieces][2], const double (&rows)[kPieces],
                    const double (&columns)[kPieces]) {
  static_assert(kPieces % 2 == 0);
  emulator::MmaF64Pieces<kPieces> mine{sums, rows, columns};
  emulator::meet_in_warp(kFullWarp, &mine, emulator::multiply_f64_pieces<kUpper, kPieces>);
}

template <Precision kPrecision, int kRows, int kColumns>
void mma_pieces(float (&sums)[kRows][kColumns][4], const unsigned (&rows)[kRows][4],
                const unsigned (&columns)[kColumns][2]) {
  emulator::MmaPieces<kRows, kColumns> mine{sums, rows, columns};
  emulator::meet_in_warp(kFullWarp, &mine, emulator::multiply_pieces<kPrecision, kRows, kColumns>);
}

}  // namespace umbra

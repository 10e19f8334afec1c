#include "cuda_grid.h"
#include "engine/cuda/tile/mma_places.h"
#include "mma.h"
#include "tests/cuda/kernels/protocol.h"

namespace umbra::cuda_test {
namespace {

constexpr int kPieces = kLinesF64 / kMmaF64Lines;
static_assert(kNumbersF64 == kMmaF64Numbers);

template <bool kUpper>
__global__ void multiply_twice(const double* rows, const double* columns, double* d) {
  const int lane = static_cast<int>(threadIdx.x);
  const MmaOperandPlace of = mma_b_place(lane, 0);
  double a[kPieces], b[kPieces], sums[kPieces][kPieces][2];
  const auto for_each_sum = [&](const auto& body) {
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
#pragma unroll
      for (int j = kUpper ? i : 0; j < kPieces; ++j) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const MmaResultPlace at = mma_d_place(lane, e);
          body(sums[i][j][e], d[(i * kMmaF64Lines + at.row) * kLinesF64 + j * kMmaF64Lines + at.column]);
        }
      }
    }
  };
  for_each_sum([](double& mine, double theirs) { mine = theirs; });
#pragma unroll
  for (int i = 0; i < kPieces; ++i) {
    a[i] = rows[of.word * kLinesF64 + i * kMmaF64Lines + of.line];
    b[i] = columns[of.word * kLinesF64 + i * kMmaF64Lines + of.line];
  }
  for (int twice = 0; twice < 2; ++twice) mma_f64_pieces<kUpper>(sums, a, b);
  for_each_sum([](double mine, double& theirs) { theirs = mine; });
}

}  // namespace

void multiply_in_double(bool upper, const double* rows, const double* columns, double* d, void* stream) {
  launch(upper ? multiply_twice<true> : multiply_twice<false>, {{1}, {32}}, stream, rows, columns, d);
}

}  // namespace umbra::cuda_test

// Matrix product: C[m][n] = sum over k of A[m][k] * B[k][n], any strides, fp32.
//
// Rows of A are broadcast, columns of B are the lanes of vectors. B is packed to make its lanes contiguous, or
// used in place if they already are. A is packed only if it is used often enough to pay. Blocks of A that stay in
// the second-level cache are multiplied by packed panels of B. Every element of C is summed in a fixed order,
// slices of k from the first to the last, so results are bit-identical for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace umbra {

struct Gemm {
  std::int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  std::int64_t a_row = 0, a_step = 0;  // A[m][k] at a[m * a_row + k * a_step]
  const float* b = nullptr;
  std::int64_t b_step = 0, b_lane = 0;  // B[k][n] at b[k * b_step + n * b_lane]
  float* c = nullptr;
  std::int64_t c_row = 0, c_lane = 0;  // C[m][n] at c[m * c_row + n * c_lane]
};

/// Bytes of workspace that gemm() needs, aligned to 64.
std::size_t gemm_bytes(const Gemm& g);
/// C = A B. m, n and k are at least 1; C must not overlap A, B or the workspace.
void gemm(const Gemm& g, void* workspace);

}  // namespace umbra

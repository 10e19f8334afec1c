// Small kernels that use Hopper's barriers, copies, wgmma and clusters, as functions of the host, for
// protocol_test.cpp and emulated_protocol.cpp. All pointers are to device memory; the functions do not wait
// for the kernels.
#pragma once

#include <cstdint>

#include "engine/base/precision.h"
#include "engine/cuda/tile/operand_layout.h"

namespace umbra::cuda_test {

/// One box of a tensor, as given to tma_load().
struct BoxCase {
  int element_bytes, rank;
  std::uint64_t extent[5], pitch[4];
  unsigned box[5];
  Swizzle swizzle;
  int at[5];

  unsigned bytes() const {
    unsigned all = static_cast<unsigned>(element_bytes);
    for (int d = 0; d < rank; ++d) all *= box[d];
    return all;
  }
};
/// to[0 … box.bytes()) is the shared memory that the box has been copied to, byte by byte.
void copy_box(const BoxCase& box, const void* data, unsigned char* to, void* stream);

/// One wgmma per 32 bytes of k over a row of `row_bytes` of k: c[64][n] = a[64][k] b[n][k]. Operands are
/// K-major in memory; the kernel puts them where operand_byte() says for these majors.
struct ProductCase {
  Precision precision;
  int n;
  Major a, b;
  int row_bytes;  // 128 or 64: of a row of k in memory, and of the swizzle of K-major operands
  bool a_in_registers;

  int element_bytes() const { return precision == Precision::kBf16 ? 2 : 4; }
  int steps() const { return row_bytes / element_bytes(); }
};
/// Whether there is a kernel for these parameters.
bool multiply(const ProductCase& product, const void* a, const void* b, float* c, void* stream);

inline constexpr int kLinesF64 = 32, kNumbersF64 = 4;
/// d[row][column] += 2 rows[k][row] columns[k][column] in double, on tensor cores of any GPU that umbra supports; `upper`:
/// only in the 8 x 8 squares on and above the diagonal.
void multiply_in_double(bool upper, const double* rows, const double* columns, double* d, void* stream);

/// c[row][column] = a[row][k] b[column][k], in bf16, rows of a and b padded to 16 bytes (pipeline.h).
void multiply_in_pipeline(const void* a, const void* b, float* c, int rows, int columns, int k, void* stream);

inline constexpr int kReduced = 512, kMostReducers = 8;  // floats of a block, blocks of a cluster
/// sum[cluster][i] is the sum of x[block][i] over the `size` blocks of a cluster, one cluster after the other.
void reduce_in_clusters(const float* x, float* sum, int clusters, int size, void* stream);

inline constexpr int kShareRows = 8, kShareColumns = 32;
/// Two blocks, each of which fetches one of two boxes for both: to[block][box] is what arrived, x[box].
void share_in_cluster(const float* x, float* to, int rounds, void* stream);

inline constexpr int kBulk = 1024;
/// y = x, `count` floats of it per block, in pieces of 16 bytes and more.
void copy_in_bulk(const float* x, float* y, int blocks, void* stream);

inline constexpr int kPingPong = 256;
/// Two warpgroups add in turn: y[i] = ((x[i] * 2 + 1) * 2 + 1) …, 2 * `rounds` times.
void take_turns(const float* x, float* y, int rounds, void* stream);

}  // namespace umbra::cuda_test

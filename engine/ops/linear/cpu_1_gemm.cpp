// Fully connected layer as packed, register-tiled matrix products, fp32.
//
// Each pass is a block product with a single block (engine/cpu/block_product.h). The lanes of B are whatever
// lies side by side in the output, so that finished tiles are written as they stand:
//
//   pass    out            A (broadcast)   B (vectors)   steps
//   fprop   y  [n][m]      x  [n][k]       w [m][k]      k
//   dgrad   dx [n][k]      dy [n][m]       w [m][k]      m
//   wgrad   dw [m][k]      dy [n][m]       x [n][k]      n
#include <algorithm>

#include "engine/cpu/block_product.h"
#include "engine/cpu/parallel.h"
#include "engine/ops/linear/rungs.h"

namespace umbra {
namespace {

constexpr std::int64_t kChunk = 1 << 14;     // elements a task of the bias handles
constexpr std::int32_t kFirst[] = {0};       // the only block is live
constexpr std::int32_t kOneList[] = {0, 1};  // one list of
constexpr Segment kOneSegment[] = {{0, 0}};  // one segment

// One operand: element (step, lane) stands at data[step * step_stride + lane * lane_stride].
BlockOperand matrix(const void* data, std::int64_t lanes, std::int64_t lane_stride,
                    std::int64_t step_stride) {
  return {static_cast<const float*>(data), lanes, 1, 1, lane_stride, step_stride, kFirst};
}

BlockProduct product(const BlockOperand& a, const BlockOperand& b, std::int64_t steps, void* out) {
  return {a, b, steps, static_cast<float*>(out), 1, b.lanes, 1, kOneList, kOneSegment};
}

BlockProduct fprop_product(const LinearFprop& op, const void* x, const void* w, void* y) {
  return product(matrix(x, op.rows, op.in, 1), matrix(w, op.out, op.in, 1), op.in, y);
}
BlockProduct dgrad_product(const LinearDgrad& op, const void* dy, const void* w, void* dx) {
  return product(matrix(dy, op.rows, op.out, 1), matrix(w, op.in, 1, op.in), op.out, dx);
}
BlockProduct wgrad_product(const LinearWgrad& op, const void* x, const void* dy, void* dw) {
  return product(matrix(dy, op.out, 1, op.out), matrix(x, op.in, 1, op.in), op.rows, dw);
}

std::size_t fprop_workspace(const LinearFprop& op) {
  return block_product_bytes(fprop_product(op, nullptr, nullptr, nullptr));
}
std::size_t dgrad_workspace(const LinearDgrad& op) {
  return block_product_bytes(dgrad_product(op, nullptr, nullptr, nullptr));
}
std::size_t wgrad_workspace(const LinearWgrad& op) {
  return block_product_bytes(wgrad_product(op, nullptr, nullptr, nullptr));
}

void fprop(const LinearFprop& op, Buffers b, void* workspace, Stream&) {  // x, w, b -> y
  block_product(fprop_product(op, b[0], b[1], b[3]), workspace);
  if (!op.bias) return;
  const float* bias = static_cast<const float*>(b[2]);  // [out]
  float* y = static_cast<float*>(b[3]);                 // [rows, out]
  parallel_chunks(op.rows, std::max<std::int64_t>(1, kChunk / op.out),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t n = begin; n < end; ++n) {
                      for (std::int64_t m = 0; m < op.out; ++m) y[n * op.out + m] += bias[m];
                    }
                  });
}

void dgrad(const LinearDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  block_product(dgrad_product(op, b[0], b[1], b[2]), workspace);
}

void wgrad(const LinearWgrad& op, Buffers b, void* workspace, Stream&) {  // x, dy -> dw, db
  block_product(wgrad_product(op, b[0], b[1], b[2]), workspace);
  if (!op.bias) return;
  const float* dy = static_cast<const float*>(b[1]);  // [rows, out]
  float* db = static_cast<float*>(b[3]);              // [out]
  parallel_chunks(op.out, std::max<std::int64_t>(16, kChunk / op.rows),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t m = begin; m < end; ++m) db[m] = 0.0f;
                    for (std::int64_t n = 0; n < op.rows; ++n) {
                      for (std::int64_t m = begin; m < end; ++m) db[m] += dy[n * op.out + m];
                    }
                  });
}

}  // namespace

Kernel linear_fprop_cpu_1_gemm() {
  return make_kernel<LinearFprop, fprop, nullptr, fprop_workspace>("linear_fprop", "cpu_1_gemm", DType::kF32);
}
Kernel linear_dgrad_cpu_1_gemm() {
  return make_kernel<LinearDgrad, dgrad, nullptr, dgrad_workspace>("linear_dgrad", "cpu_1_gemm", DType::kF32);
}
Kernel linear_wgrad_cpu_1_gemm() {
  return make_kernel<LinearWgrad, wgrad, nullptr, wgrad_workspace>("linear_wgrad", "cpu_1_gemm", DType::kF32);
}

}  // namespace umbra

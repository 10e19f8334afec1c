// Fully connected layer as matrix products (engine/cpu/gemm.h), fp32. The lanes of vectors are adjacent
// elements of the output; only the forward pass of a small batch has the samples in its lanes, because
// packing all weights would cost as much as multiplying by them:
//
//   pass                   out            A (broadcast)   B (lanes)     k
//   fprop                  y  [n][m]      x  [n][k]       w [m][k]      k
//   fprop, small batch     y  [n][m]      w  [m][k]       x [n][k]      k
//   dgrad                  dx [n][k]      dy [n][m]       w [m][k]      m
//   wgrad                  dw [m][k]      dy [n][m]       x [n][k]      n
#include <algorithm>

#include "engine/cpu/gemm.h"
#include "engine/cpu/parallel.h"
#include "engine/ops/kernel.h"
#include "engine/ops/matmul/bias_gradient.h"
#include "engine/ops/matmul/op.h"

namespace umbra {
namespace {

constexpr std::int64_t kSmallBatch = 64;

Gemm fprop_product(const LinearFprop& op, const float* x, const float* w, float* y) {
  if (op.rows <= kSmallBatch) return {op.out, op.rows, op.in, w, op.in, 1, x, 1, op.in, y, 1, op.out};
  return {op.rows, op.out, op.in, x, op.in, 1, w, 1, op.in, y, op.out, 1};
}
Gemm dgrad_product(const LinearDgrad& op, const float* dy, const float* w, float* dx) {
  return {op.rows, op.in, op.out, dy, op.out, 1, w, op.in, 1, dx, op.in, 1};
}
Gemm wgrad_product(const LinearWgrad& op, const float* x, const float* dy, float* dw) {
  return {op.out, op.in, op.rows, dy, 1, op.out, x, op.in, 1, dw, op.in, 1};
}

std::size_t fprop_workspace(const LinearFprop& op) {
  return gemm_bytes(fprop_product(op, nullptr, nullptr, nullptr));
}
std::size_t dgrad_workspace(const LinearDgrad& op) {
  return gemm_bytes(dgrad_product(op, nullptr, nullptr, nullptr));
}
std::size_t wgrad_workspace(const LinearWgrad& op) {
  return gemm_bytes(wgrad_product(op, nullptr, nullptr, nullptr));
}

std::string declines(const LinearOp& op) {
  return declines_other_precisions(Precision::kF32, op.precision, op.weights);
}

void fprop(const LinearFprop& op, Buffers b, void* workspace, Stream&) {  // x, w, b -> y
  gemm(fprop_product(op, b.in(0), b.in(1), b.out(3)), workspace);
  if (!op.bias) return;
  const float* bias = b.in(2);  // [out]
  float* y = b.out(3);          // [rows, out]
  parallel_chunks(op.rows, std::max<std::int64_t>(1, kBiasChunk / op.out),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t n = begin; n < end; ++n) {
                      for (std::int64_t m = 0; m < op.out; ++m) y[n * op.out + m] += bias[m];
                    }
                  });
}

void dgrad(const LinearDgrad& op, Buffers b, void* workspace, Stream&) {  // dy, w -> dx
  gemm(dgrad_product(op, b.in(0), b.in(1), b.out(2)), workspace);
}

void wgrad(const LinearWgrad& op, Buffers b, void* workspace, Stream&) {  // x, dy -> dw, db
  gemm(wgrad_product(op, b.in(0), b.in(1), b.out(2)), workspace);
  if (op.bias) linear_bias_gradient(op, b.in(1), b.out(3));
}

}  // namespace

Kernel linear_fprop_cpu_1_gemm() {
  return make_kernel<LinearFprop, fprop, declines, fprop_workspace>();
}
Kernel linear_dgrad_cpu_1_gemm() {
  return make_kernel<LinearDgrad, dgrad, declines, dgrad_workspace>();
}
Kernel linear_wgrad_cpu_1_gemm() {
  return make_kernel<LinearWgrad, wgrad, declines, wgrad_workspace>();
}

}  // namespace umbra

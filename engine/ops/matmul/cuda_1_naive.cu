// One thread per output element, a dot product each. Neighbouring threads have neighbouring columns of the
// output: in dgrad and wgrad they read adjacent elements of one operand and the same element of the other;
// in fprop, where both operands are contiguous along the sum, every thread reads a different row of the
// weights.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/matmul/cuda_declines.h"
#include "engine/ops/matmul/op.h"

namespace umbra {
namespace {

__global__ void fprop_each(int rows, int in, int out, const float* x, const float* w, const float* b,
                           float* y) {
  const std::int64_t i = thread_number();
  if (i >= static_cast<std::int64_t>(rows) * out) return;
  const int m = static_cast<int>(i) % out, n = static_cast<int>(i) / out;
  float sum = 0;
  for (int k = 0; k < in; ++k) sum += w[m * in + k] * x[n * in + k];
  y[i] = b == nullptr ? sum : sum + b[m];
}

__global__ void dgrad_each(int rows, int in, int out, const float* dy, const float* w, float* dx) {
  const std::int64_t i = thread_number();
  if (i >= static_cast<std::int64_t>(rows) * in) return;
  const int k = static_cast<int>(i) % in, n = static_cast<int>(i) / in;
  float sum = 0;
  for (int m = 0; m < out; ++m) sum += w[m * in + k] * dy[n * out + m];
  dx[i] = sum;
}

// The gradient of the biases is one more column of dw, whose factor is 1.
__global__ void wgrad_each(int rows, int in, int out, const float* x, const float* dy, float* dw, float* db) {
  const std::int64_t i = thread_number();
  const int columns = db == nullptr ? in : in + 1;
  if (i >= static_cast<std::int64_t>(out) * columns) return;
  const int k = static_cast<int>(i) % columns, m = static_cast<int>(i) / columns;
  float sum = 0;
  for (int n = 0; n < rows; ++n) sum += dy[n * out + m] * (k < in ? x[n * in + k] : 1.0f);
  (k < in ? dw[m * in + k] : db[m]) = sum;
}

void fprop(const LinearFprop& op, Buffers b, void*, Stream& stream) {
  launch(fprop_each, one_thread_each(op.rows * op.out), stream.native(), static_cast<int>(op.rows),
         static_cast<int>(op.in), static_cast<int>(op.out),
         b.in(0),                      // [rows, in]
         b.in(1),                      // [out, in]
         op.bias ? b.in(2) : nullptr,  // [out]
         b.out(3));                    // [rows, out]
}

void dgrad(const LinearDgrad& op, Buffers b, void*, Stream& stream) {
  launch(dgrad_each, one_thread_each(op.rows * op.in), stream.native(), static_cast<int>(op.rows),
         static_cast<int>(op.in), static_cast<int>(op.out),
         b.in(0),    // [rows, out]
         b.in(1),    // [out, in]
         b.out(2));  // [rows, in]
}

void wgrad(const LinearWgrad& op, Buffers b, void*, Stream& stream) {
  launch(wgrad_each, one_thread_each(op.out * (op.in + (op.bias ? 1 : 0))), stream.native(),
         static_cast<int>(op.rows), static_cast<int>(op.in), static_cast<int>(op.out),
         b.in(0),                        // [rows, in]
         b.in(1),                        // [rows, out]
         b.out(2),                       // [out, in]
         op.bias ? b.out(3) : nullptr);  // [out]
}

}  // namespace

Kernel linear_fprop_cuda_1_naive() {
  return make_kernel<LinearFprop, fprop, cuda_declines_unless_fp32>();
}
Kernel linear_dgrad_cuda_1_naive() {
  return make_kernel<LinearDgrad, dgrad, cuda_declines_unless_fp32>();
}
Kernel linear_wgrad_cuda_1_naive() {
  return make_kernel<LinearWgrad, wgrad, cuda_declines_unless_fp32>();
}

}  // namespace umbra

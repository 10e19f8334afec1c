// The tensor rungs of the fully connected layer, cuda_4_wgmma to cuda_7_cluster
// (engine/cuda/tensor_product.h): a convolution with one position and one tap, whose matrices have rows
// instead of channels and samples.
//
//   pass     result, row j, sample     W [j][step]        X [sample][step]
//   fprop    y  [n][m]    m, n         w  [m][k]          x  [n][k]
//   dgrad    dx [n][k]    k, n         w  [m][k] across   dy [n][m]
//   wgrad    dw [m][k]    k, m         x  [n][k] across   dy [n][m] transposed
//
// "Across": bfloat16 is read with the steps one under the other; TF32, which tensor cores read along the sum
// only, is transposed. The slope of the biases is a kernel of its own: the plain sum of dy's columns.
#include "engine/cuda/tensor_product.h"
#include "engine/ops/linear/rungs_cuda.h"

namespace umbra {
namespace {

TensorProduct product_of(Precision precision, std::int64_t rows, std::int64_t samples, std::int64_t depth,
                         void* result) {
  const int J = static_cast<int>(rows), N = static_cast<int>(samples);
  TensorProduct made{};
  made.precision = precision;
  const ConvMap one = conv_map({samples, depth, rows, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}});
  made.walk = {.map = one,
               .pairs = false,
               .dgrad = false,
               .depth = static_cast<int>(depth),
               .rows = J,
               .samples = N,
               .blocks = ceil_div(N, kUnitSamples),
               .positions = 1,
               .taps = 1,
               .order = {true, {}}};
  made.finish = {
      .result = static_cast<float*>(result), .outer_pitch = 0, .row_pitch = 1, .sample_pitch = J, .rows = J};
  made.outputs = rows * samples;
  made.live = made.walk.blocks;
  return made;
}
void read_across(TensorProduct& product) {
  product.w_transposed = product.precision == Precision::kTf32;
  product.w_along_rows = product.precision == Precision::kBf16;
}

TensorProduct product_of(const LinearFprop& op, Buffers b) {  // x, w, b -> y
  TensorProduct made = product_of(op.precision, op.out, op.rows, op.in, b[3]);
  made.w = {b[1], op.weights, 1, op.out, op.in};
  made.x = {b[0], DType::kF32, 1, op.rows, op.in};
  made.finish.beta = op.bias ? static_cast<const float*>(b[2]) : nullptr;
  return made;
}
TensorProduct product_of(const LinearDgrad& op, Buffers b) {  // dy, w -> dx
  TensorProduct made = product_of(op.precision, op.in, op.rows, op.out, b[2]);
  made.w = {b[1], op.weights, 1, op.out, op.in};
  read_across(made);
  made.x = {b[0], DType::kF32, 1, op.rows, op.out};
  return made;
}
TensorProduct product_of(const LinearWgrad& op, Buffers b) {  // x, dy -> dw, db
  TensorProduct made = product_of(op.precision, op.in, op.out, op.rows, b[2]);
  made.w = {b[0], DType::kF32, 1, op.rows, op.in};
  read_across(made);
  made.x = {b[1], DType::kF32, 1, op.rows, op.out};
  made.x_transposed = true;
  return made;
}
constexpr void* kNoBuffers[4] = {};

constexpr int kSumRows = 8;
struct ColumnSums {
  float part[kSumRows][kWarp];
};

// db[m] = sum over n of dy[n][m], in order within each of eight parts and then over them. A warp reads 32
// columns.
__global__ void __launch_bounds__(kWarp* kSumRows)
    column_sums(const float* dy, float* db, int rows, int columns) {
  ColumnSums& shared = shared_memory<ColumnSums>();
  const int lane = static_cast<int>(threadIdx.x % kWarp), first = static_cast<int>(threadIdx.x / kWarp);
  const int column = static_cast<int>(blockIdx.x * kWarp) + lane;
  float sum = 0;
  for (int n = first; column < columns && n < rows; n += kSumRows)
    sum += dy[static_cast<std::int64_t>(n) * columns + column];
  shared.part[first][lane] = sum;
  __syncthreads();
  if (first != 0 || column >= columns) return;
  for (int part = 1; part < kSumRows; ++part) sum += shared.part[part][lane];
  db[column] = sum;
}

}  // namespace

void linear_fprop_cuda_tensor(const LinearFprop& op, TensorRung rung, Buffers b, void* workspace,
                              Stream& stream) {
  run_tensor_product(product_of(op, b), rung, workspace, stream.native());
}
void linear_dgrad_cuda_tensor(const LinearDgrad& op, TensorRung rung, Buffers b, void* workspace,
                              Stream& stream) {
  run_tensor_product(product_of(op, b), rung, workspace, stream.native());
}
void linear_wgrad_cuda_tensor(const LinearWgrad& op, TensorRung rung, Buffers b, void* workspace,
                              Stream& stream) {
  run_tensor_product(product_of(op, b), rung, workspace, stream.native());
  if (!op.bias) return;
  const unsigned blocks = static_cast<unsigned>((op.out + kWarp - 1) / kWarp);
  launch(column_sums, Grid{{blocks}, {kWarp * kSumRows}, sizeof(ColumnSums)}, stream.native(),
         static_cast<const float*>(b[1]), static_cast<float*>(b[3]), static_cast<int>(op.rows),
         static_cast<int>(op.out));
}
std::size_t linear_fprop_cuda_tensor_workspace(const LinearFprop& op, TensorRung rung) {
  return tensor_workspace(product_of(op, kNoBuffers), rung);
}
std::size_t linear_dgrad_cuda_tensor_workspace(const LinearDgrad& op, TensorRung rung) {
  return tensor_workspace(product_of(op, kNoBuffers), rung);
}
std::size_t linear_wgrad_cuda_tensor_workspace(const LinearWgrad& op, TensorRung rung) {
  return tensor_workspace(product_of(op, kNoBuffers), rung);
}

}  // namespace umbra

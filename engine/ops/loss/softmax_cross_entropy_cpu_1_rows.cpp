// Softmax with cross entropy, rows side by side, one exponential per number; the rows' losses are added in
// order, in double.
#include <algorithm>
#include <cmath>

#include "engine/ops/ladder.h"
#include "engine/ops/loss/softmax_cross_entropy.h"
#include "engine/ops/shared/chunks.h"

namespace umbra {
namespace {

/// Loss of one row; dz becomes the gradient times 1 / rows.
double softmax_row(const float* z, std::int64_t label, float* dz, std::int64_t columns, double rows) {
  const double largest = static_cast<double>(*std::max_element(z, z + columns));
  double sum = 0;
  for (std::int64_t k = 0; k < columns; ++k) {
    const double power = std::exp(static_cast<double>(z[k]) - largest);
    dz[k] = static_cast<float>(power);
    sum += power;
  }
  const double factor = 1 / (sum * rows);
  // The label's own probability from its exact logit: p - 1 cancels where the network is sure.
  const double own = std::exp(static_cast<double>(z[label]) - largest) / sum;
  for (std::int64_t k = 0; k < columns; ++k) dz[k] = static_cast<float>(static_cast<double>(dz[k]) * factor);
  dz[label] = static_cast<float>((own - 1) / rows);
  return std::log(sum) + largest - static_cast<double>(z[label]);
}

void run(const SoftmaxCrossEntropy& op, Buffers buffers, void* workspace, Stream&) {
  const float* z = buffers.in(0);                           // [N, K]
  const std::int32_t* label = buffers.in<std::int32_t>(1);  // [N]
  float* dz = buffers.out(3);                               // [N, K]
  double* losses = static_cast<double*>(workspace);         // [N]
  const double rows = static_cast<double>(op.rows);
  parallel_chunks(op.rows, rows_per_chunk(op.columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      losses[n] = softmax_row(z + n * op.columns, label[n], dz + n * op.columns, op.columns, rows);
    }
  });
  double total = 0;
  for (std::int64_t n = 0; n < op.rows; ++n) total += losses[n];
  *buffers.out(2) = static_cast<float>(total / rows);
}

std::size_t workspace_bytes(const SoftmaxCrossEntropy& op) {
  return static_cast<std::size_t>(op.rows) * sizeof(double);
}

}  // namespace

Kernel softmax_cross_entropy_cpu_1_rows() {
  return make_kernel<SoftmaxCrossEntropy, run, nullptr, workspace_bytes>();
}

}  // namespace umbra

// Why CUDA rungs of the fully connected layer do not support an op; "" where they do.
#pragma once

#include <string>

#include "engine/ops/matmul/op.h"

namespace umbra {

inline std::string cuda_declines_large(const LinearOp& op) {
  constexpr double kMost = 2147483647.0 - 1024;  // the index past a tile at the end must fit, too
  const double rows = static_cast<double>(op.rows), in = static_cast<double>(op.in) + 1;
  const double out = static_cast<double>(op.out);
  if (rows * in > kMost || rows * out > kMost || in * out > kMost) {
    return "a matrix has more than 2^31 - 1024 elements";
  }
  return {};
}

/// A rung that multiplies in fp32 …
inline std::string cuda_declines_unless_fp32(const LinearOp& op) {
  const std::string other = declines_other_precisions(Precision::kF32, op.precision, op.weights);
  return other.empty() ? cuda_declines_large(op) : other;
}
/// … and one that multiplies rounded operands.
inline std::string cuda_declines_fp32(const LinearOp& op) {
  const std::string other = declines_fp32(op.precision);
  return other.empty() ? cuda_declines_large(op) : other;
}

}  // namespace umbra

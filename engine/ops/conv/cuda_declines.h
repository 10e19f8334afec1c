// Why CUDA rungs of the convolution and of its inference do not support an op; "" where they do. O is
// ConvOp or ConvInference.
#pragma once

#include <string>

#include "engine/ops/conv/cuda_conv_map.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/shared/rounding.h"

namespace umbra {

/// Geometries that are not plain, or too large for the index maps of kernels.
inline std::string cuda_declines_geometry(const ConvGeometry& g) {
  std::string reason = declines_dilation(g);
  if (reason.empty()) reason = declines_groups(g);
  return reason.empty() ? conv_map_declines(g) : reason;
}

/// A rung that multiplies in fp32 …
template <class O>
std::string cuda_declines_unless_fp32(const O& op) {
  const std::string other = declines_other_precisions(Precision::kF32, op.precision, op.weights);
  return other.empty() ? cuda_declines_geometry(op.geometry) : other;
}
/// … and one that multiplies rounded operands.
template <class O>
std::string cuda_declines_fp32(const O& op) {
  const std::string other = declines_fp32(op.precision);
  return other.empty() ? cuda_declines_geometry(op.geometry) : other;
}

}  // namespace umbra

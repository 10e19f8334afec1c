// The epilogue of the convolutions on a GPU: it is applied to a sum of products in registers before it is
// stored. In inference batch norm is one multiplication and one addition; the residual and the ReLU follow. In
// dgrad the residual is a gradient that is added. Otherwise the sums are the result: the same kernels, because
// the time to compile them grows with their number.
#pragma once

#include "cuda_grid.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"

namespace umbra {

struct CudaConvEpilogue {
  float* result;  // [position][channel][sample]
  // [channel] each; all null if no batch norm follows
  const float *gamma = nullptr, *beta = nullptr, *mean = nullptr, *var = nullptr;
  const float* residual = nullptr;  // as the result, or null
  double epsilon = 0;
  int channels = 1, batch = 1;
  bool relu = false;

  __device__ bool scales_sums() const { return gamma != nullptr; }

  /// The factor and the shift of a channel: in double, rounded once.
  __device__ float2 scales(int channel) const {
    const double factor =
        static_cast<double>(gamma[channel]) / sqrt(static_cast<double>(var[channel]) + epsilon);
    const double shift = static_cast<double>(beta[channel]) - static_cast<double>(mean[channel]) * factor;
    return make_float2(static_cast<float>(factor), static_cast<float>(shift));
  }
  /// Element i of the result where !scales_sums() …
  __device__ float value(float sum, int i) const { return residual == nullptr ? sum : sum + residual[i]; }
  /// … and where scales_sums(). A NaN stays a NaN.
  __device__ float value(float sum, float2 scales, int i) const {
    float v = sum * scales.x + scales.y;
    if (residual != nullptr) v += residual[i];
    return relu && v <= 0 ? 0.0f : v;
  }
  /// The same without scales from before.
  __device__ void put(int i, float sum) const {
    result[i] = scales_sums() ? value(sum, scales(i / batch % channels), i) : value(sum, i);
  }
};

/// From the buffers dy, w, dx, addend.
inline CudaConvEpilogue cuda_conv_epilogue(const ConvDgrad& op, Buffers b) {
  CudaConvEpilogue made{b.out(2)};
  if (op.addend) made.residual = b.in(3);
  return made;
}
/// From the buffers x, w, gamma, beta, running_mean, running_var, residual, y.
inline CudaConvEpilogue cuda_conv_epilogue(const ConvInference& op, Buffers b) {
  return {b.out(7),
          b.in(2),
          b.in(3),
          b.in(4),
          b.in(5),
          op.residual ? b.in(6) : nullptr,
          op.epsilon,
          static_cast<int>(op.geometry.out_channels),
          static_cast<int>(op.geometry.batch),
          op.relu};
}

}  // namespace umbra

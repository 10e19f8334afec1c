// A convolution in cuDNN's form: a graph of one operation and its three tensors.
#pragma once

#include "bench/peers/cudnn_api.h"
#include "engine/ops/conv/op.h"

namespace umbra {

/// The target of cuDNN's plans: a GPU (its handle), or the properties of a GPU that need not be present.
struct CudnnTarget {
  cudnnHandle_t handle = nullptr;
  const CudnnDescriptor* properties = nullptr;
};

enum class ConvPass { kFprop, kDgrad, kWgrad };

/// The operation and its tensors: x and y (or their gradients) [N, D, H, W, C] in memory, w [K, T, R, S, C];
/// [N, H, W, C] and [K, R, S, C] if the first axis is trivial. Alpha 1, beta 0, sums in fp32.
struct CudnnGraph {
  static constexpr std::int64_t kX = 'x', kW = 'w', kY = 'y';  // the tensors' names

  CudnnGraph(const ConvOp& op, ConvPass pass, DType output, const CudnnTarget& target);
  DType output;
  CudnnDescriptor x, w, y, convolution, operation, graph;
};

/// Elements of cuDNN's kernel, including dead taps.
inline std::int64_t dense_weights(const ConvGeometry& g) {
  return g.taps() * g.in_channels * g.out_channels;
}
/// The type in which operands are stored for cuDNN.
inline DType cudnn_operand(Precision precision) {
  return precision == Precision::kBf16 ? DType::kBf16 : DType::kF32;
}

}  // namespace umbra

// The op's problems and buffers as the kernels of engine/cuda/batch_norm.h take them.
#pragma once

#include "engine/cuda/batch_norm.h"
#include "engine/ops/batch_norm_relu/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class O>
BatchNormShape batch_norm_relu_shape(const O& op) {
  return {op.outer, op.channels, op.inner};
}

inline BatchNormForwardArguments arguments_of(const BatchNormReluForward& op, Buffers b) {
  return {batch_norm_relu_shape(op),
          static_cast<const float*>(b[0]),
          static_cast<const float*>(b[1]),
          static_cast<const float*>(b[2]),
          static_cast<float*>(b[3]),
          static_cast<float*>(b[4]),
          op.residual ? static_cast<const float*>(b[5]) : nullptr,
          static_cast<float*>(b[6]),
          static_cast<float*>(b[7]),
          static_cast<float*>(b[8]),
          op.epsilon,
          op.momentum,
          true};
}

inline BatchNormInferenceArguments arguments_of(const BatchNormReluInference& op, Buffers b) {
  return {batch_norm_relu_shape(op),
          static_cast<const float*>(b[0]),
          static_cast<const float*>(b[1]),
          static_cast<const float*>(b[2]),
          static_cast<const float*>(b[3]),
          static_cast<const float*>(b[4]),
          op.residual ? static_cast<const float*>(b[5]) : nullptr,
          static_cast<float*>(b[6]),
          op.epsilon,
          true};
}

inline BatchNormBackwardArguments arguments_of(const BatchNormReluBackward& op, Buffers b) {
  return {batch_norm_relu_shape(op),
          static_cast<const float*>(b[0]),
          static_cast<const float*>(b[1]),
          static_cast<const float*>(b[2]),
          static_cast<const float*>(b[3]),
          static_cast<const float*>(b[4]),
          static_cast<const float*>(b[5]),
          static_cast<float*>(b[6]),
          static_cast<float*>(b[7]),
          static_cast<float*>(b[8]),
          op.residual ? static_cast<float*>(b[9]) : nullptr};
}

}  // namespace umbra

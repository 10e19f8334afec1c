// The op's problems and buffers as the kernels of engine/cuda/batch_norm.h take them.
#pragma once

#include "engine/cuda/batch_norm.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class O>
BatchNormShape batch_norm_shape(const O& op) {
  return {op.batch, op.channels, op.volume};
}

inline BatchNormForwardArguments arguments_of(const BatchNormForward& op, Buffers b) {
  return {batch_norm_shape(op),
          static_cast<const float*>(b[0]),
          static_cast<const float*>(b[1]),
          static_cast<const float*>(b[2]),
          static_cast<float*>(b[3]),
          static_cast<float*>(b[4]),
          nullptr,
          static_cast<float*>(b[5]),
          static_cast<float*>(b[6]),
          static_cast<float*>(b[7]),
          op.epsilon,
          op.momentum,
          false};
}

inline BatchNormInferenceArguments arguments_of(const BatchNormInference& op, Buffers b) {
  return {batch_norm_shape(op),
          static_cast<const float*>(b[0]),
          static_cast<const float*>(b[1]),
          static_cast<const float*>(b[2]),
          static_cast<const float*>(b[3]),
          static_cast<const float*>(b[4]),
          nullptr,
          static_cast<float*>(b[5]),
          op.epsilon,
          false};
}

inline BatchNormBackwardArguments arguments_of(const BatchNormBackward& op, Buffers b) {
  return {batch_norm_shape(op),
          static_cast<const float*>(b[0]),
          static_cast<const float*>(b[1]),
          nullptr,
          static_cast<const float*>(b[2]),
          static_cast<const float*>(b[3]),
          static_cast<const float*>(b[4]),
          static_cast<float*>(b[5]),
          static_cast<float*>(b[6]),
          static_cast<float*>(b[7]),
          nullptr};
}

}  // namespace umbra

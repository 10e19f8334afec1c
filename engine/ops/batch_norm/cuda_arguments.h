// The ops' problems and buffers as the CUDA kernels receive them, all options in one struct; and the
// problems that every rung for training declines.
#pragma once

#include "engine/cuda/tile/channel_walk.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/runtime/stream.h"

namespace umbra {

struct BatchNormShape {
  std::int64_t outer, channels, inner;
};

struct BatchNormForwardArguments {
  BatchNormShape shape;
  const float* x;                     // [outer, C, inner]
  const float *gamma, *beta;          // [C]
  float *running_mean, *running_var;  // [C]
  const float* residual;              // [outer, C, inner] or null
  float* y;                           // [outer, C, inner]
  float *mean, *invstd;               // [C]
  double epsilon, momentum;
  bool relu;

  bool aligned() const { return aligned_to_16(x, residual, y); }
};

struct BatchNormInferenceArguments {
  BatchNormShape shape;
  const float* x;                                          // [outer, C, inner]
  const float *gamma, *beta, *running_mean, *running_var;  // [C]
  const float* residual;                                   // [outer, C, inner] or null
  float* y;                                                // [outer, C, inner]
  double epsilon;
  bool relu;

  bool aligned() const { return aligned_to_16(x, residual, y); }
};

struct BatchNormBackwardArguments {
  BatchNormShape shape;
  const float *dy, *x;                 // [outer, C, inner]
  const float* y;                      // [outer, C, inner], or null without a ReLU
  const float *gamma, *mean, *invstd;  // [C]
  float* dx;                           // [outer, C, inner]
  float *dgamma, *dbeta;               // [C]
  float* dresidual;                    // [outer, C, inner] or null

  bool aligned() const { return aligned_to_16(dy, x, y, dx, dresidual); }
};

inline BatchNormForwardArguments arguments_of(const BatchNormForward& op, Buffers b) {
  return {{op.outer, op.channels, op.inner},
          b.in(0),
          b.in(1),
          b.in(2),
          b.out(3),
          b.out(4),
          op.options.residual ? b.in(5) : nullptr,
          b.out(6),
          b.out(7),
          b.out(8),
          op.epsilon,
          op.momentum,
          op.options.relu};
}

inline BatchNormInferenceArguments arguments_of(const BatchNormInference& op, Buffers b) {
  return {{op.outer, op.channels, op.inner},       b.in(0),  b.in(1),    b.in(2),        b.in(3), b.in(4),
          op.options.residual ? b.in(5) : nullptr, b.out(6), op.epsilon, op.options.relu};
}

inline BatchNormBackwardArguments arguments_of(const BatchNormBackward& op, Buffers b) {
  return {{op.outer, op.channels, op.inner},
          b.in(0),
          b.in(1),
          op.options.relu ? b.in(2) : nullptr,
          b.in(3),
          b.in(4),
          b.in(5),
          b.out(6),
          b.out(7),
          b.out(8),
          op.options.residual ? b.out(9) : nullptr};
}

inline std::string forward_declines(const BatchNormForward& op) {
  const std::string few = needs_two_values(op);
  return few.empty() ? ChannelCut::declines(op.outer, op.inner) : few;
}
inline std::string backward_declines(const BatchNormBackward& op) {
  const std::string none = needs_a_value(op);
  return none.empty() ? ChannelCut::declines(op.outer, op.inner) : none;
}

}  // namespace umbra

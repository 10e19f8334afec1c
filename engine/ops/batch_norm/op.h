// Batch normalisation (Ioffe & Szegedy 2015) with two options, a residual connection and a ReLU after it,
// over the general view [outer, C, inner]: batch-last activations have outer = positions and inner =
// samples, rows [N, C] have outer = N and inner = 1. With both options, and n = outer * inner values per
// channel:
//
// Training:   mean_c, var_c over the n values of channel c (var biased);  invstd = 1 / sqrt(var + epsilon)
//             y = relu(gamma (x - mean) invstd + beta + residual)
//             running_mean <- (1 - momentum) running_mean + momentum mean
//             running_var  <- (1 - momentum) running_var  + momentum var n / (n - 1)
// Inference:  the same with the running statistics.
// Backward (training):  xhat = (x - mean) invstd,  g = y > 0 ? dy : 0 with a ReLU, else dy
//             dresidual = g,  dbeta = sum g,  dgamma = sum g xhat,
//             dx = gamma invstd (g - dbeta / n - xhat dgamma / n)
// Frozen backward (inference): the same with the running statistics, which are constants: dx = gamma invstd g
// Conventions (biased variance in y, unbiased in running_var, momentum 0.1, epsilon 1e-5) are PyTorch's.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

/// The operations that follow the normalisation; none by default.
struct BatchNormOptions {
  bool relu = false;
  bool residual = false;
};

class BatchNormOp : public Op {
 public:
  BatchNormOp(DType type, std::int64_t outer_, std::int64_t channels_, std::int64_t inner_,
              BatchNormOptions options_)
      : Op(type), outer(outer_), channels(channels_), inner(inner_), options(options_) {}
  std::string text() const override {
    return concat("o", outer, " c", channels, " i", inner, options.relu ? " relu" : "",
                  options.residual ? " residual" : "");
  }
  std::int64_t count() const { return outer * channels * inner; }
  std::int64_t count_per_channel() const { return outer * inner; }

  std::int64_t outer;
  std::int64_t channels;
  std::int64_t inner;
  BatchNormOptions options;
};

class BatchNormForward final : public BatchNormOp {
 public:
  BatchNormForward(DType type, std::int64_t outer_, std::int64_t channels_, std::int64_t inner_,
                   double epsilon_, double momentum_, BatchNormOptions options_ = {})
      : BatchNormOp(type, outer_, channels_, inner_, options_), epsilon(epsilon_), momentum(momentum_) {}
  static constexpr std::string_view kName = "batch_norm_forward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count(), Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"beta", dtype, channels, Access::kIn},
            {"running_mean", dtype, channels, Access::kInOut},
            {"running_var", dtype, channels, Access::kInOut, Fill::kPositive},
            {"residual", dtype, options.residual ? count() : 0, Access::kIn},
            {"y", dtype, count(), Access::kOut},
            {"mean", dtype, channels, Access::kOut},
            {"invstd", dtype, channels, Access::kOut}};
  }
  double flops() const override {
    return (5 + options.relu + options.residual) * static_cast<double>(count());
  }
  double sum_length() const override { return static_cast<double>(count_per_channel()); }

  double epsilon;
  double momentum;
};

class BatchNormInference final : public BatchNormOp {
 public:
  BatchNormInference(DType type, std::int64_t outer_, std::int64_t channels_, std::int64_t inner_,
                     double epsilon_, BatchNormOptions options_ = {})
      : BatchNormOp(type, outer_, channels_, inner_, options_), epsilon(epsilon_) {}
  static constexpr std::string_view kName = "batch_norm_inference";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count(), Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"beta", dtype, channels, Access::kIn},
            {"running_mean", dtype, channels, Access::kIn},
            {"running_var", dtype, channels, Access::kIn, Fill::kPositive},
            {"residual", dtype, options.residual ? count() : 0, Access::kIn},
            {"y", dtype, count(), Access::kOut}};
  }
  double flops() const override {
    return (2 + options.relu + options.residual) * static_cast<double>(count());
  }

  double epsilon;
};

class BatchNormBackward final : public BatchNormOp {
 public:
  BatchNormBackward(DType type, std::int64_t outer_, std::int64_t channels_, std::int64_t inner_,
                    BatchNormOptions options_ = {})
      : BatchNormOp(type, outer_, channels_, inner_, options_) {}
  static constexpr std::string_view kName = "batch_norm_backward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, count(), Access::kIn},
            {"x", dtype, count(), Access::kIn},
            {"y", dtype, options.relu ? count() : 0, Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"mean", dtype, channels, Access::kIn},
            {"invstd", dtype, channels, Access::kIn, Fill::kPositive},
            {"dx", dtype, count(), Access::kOut},
            {"dgamma", dtype, channels, Access::kOut},
            {"dbeta", dtype, channels, Access::kOut},
            {"dresidual", dtype, options.residual ? count() : 0, Access::kOut}};
  }
  double flops() const override { return (8 + options.relu) * static_cast<double>(count()); }
  double sum_length() const override { return static_cast<double>(count_per_channel()); }
};

class BatchNormFrozenBackward final : public BatchNormOp {
 public:
  BatchNormFrozenBackward(DType type, std::int64_t outer_, std::int64_t channels_, std::int64_t inner_,
                          double epsilon_, BatchNormOptions options_ = {})
      : BatchNormOp(type, outer_, channels_, inner_, options_), epsilon(epsilon_) {}
  static constexpr std::string_view kName = "batch_norm_frozen_backward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, count(), Access::kIn},
            {"x", dtype, count(), Access::kIn},
            {"y", dtype, options.relu ? count() : 0, Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"running_mean", dtype, channels, Access::kIn},
            {"running_var", dtype, channels, Access::kIn, Fill::kPositive},
            {"dx", dtype, count(), Access::kOut},
            {"dgamma", dtype, channels, Access::kOut},
            {"dbeta", dtype, channels, Access::kOut},
            {"dresidual", dtype, options.residual ? count() : 0, Access::kOut}};
  }
  double flops() const override { return (5 + options.relu) * static_cast<double>(count()); }
  double sum_length() const override { return static_cast<double>(count_per_channel()); }

  double epsilon;
};

/// The variance of a single number is zero, and the unbiased one divides by zero.
inline std::string needs_two_values(const BatchNormForward& op) {
  return op.count_per_channel() >= 2 ? "" : "it needs at least two values per channel to train";
}
inline std::string needs_a_value(const BatchNormBackward& op) {
  return op.count_per_channel() >= 1 ? "" : "it needs at least one value per channel";
}

}  // namespace umbra

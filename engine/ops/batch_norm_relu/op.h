// Batch normalisation, an optional residual connection and ReLU as one op, over the general view
// [outer, C, inner]: batch-last activations have outer = positions and inner = samples, rows [N, C] have
// outer = N and inner = 1.
//
//   y = relu(batch_norm(x) + residual)
//
// The equations are those of batch_norm, add and relu, and the reference is their composition: biased
// variance in y, unbiased in running_var, no gradient where y is 0. Backward:
//   dresidual = y > 0 ? dy : 0,  and dx, dgamma, dbeta are batch_norm's with dresidual in place of dy.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class BatchNormReluForward final : public Op {
 public:
  BatchNormReluForward(DType type, std::int64_t outer_, std::int64_t channels_, std::int64_t inner_,
                       double epsilon_, double momentum_, bool residual_)
      : Op(type),
        outer(outer_),
        channels(channels_),
        inner(inner_),
        epsilon(epsilon_),
        momentum(momentum_),
        residual(residual_) {}
  std::string_view name() const override { return "batch_norm_relu_forward"; }
  std::string text() const override {
    return concat("o", outer, " c", channels, " i", inner, residual ? " residual" : "");
  }
  std::int64_t count() const { return outer * channels * inner; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count(), Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"beta", dtype, channels, Access::kIn},
            {"running_mean", dtype, channels, Access::kInOut},
            {"running_var", dtype, channels, Access::kInOut, Fill::kPositive},
            {"residual", dtype, residual ? count() : 0, Access::kIn},
            {"y", dtype, count(), Access::kOut},
            {"mean", dtype, channels, Access::kOut},
            {"invstd", dtype, channels, Access::kOut}};
  }
  double flops() const override { return (residual ? 7 : 6) * static_cast<double>(count()); }
  double sum_length() const override { return static_cast<double>(outer * inner); }

  std::int64_t outer;
  std::int64_t channels;
  std::int64_t inner;
  double epsilon;
  double momentum;
  bool residual;
};

class BatchNormReluInference final : public Op {
 public:
  BatchNormReluInference(DType type, std::int64_t outer_, std::int64_t channels_, std::int64_t inner_,
                         double epsilon_, bool residual_)
      : Op(type), outer(outer_), channels(channels_), inner(inner_), epsilon(epsilon_), residual(residual_) {}
  std::string_view name() const override { return "batch_norm_relu_inference"; }
  std::string text() const override {
    return concat("o", outer, " c", channels, " i", inner, residual ? " residual" : "");
  }
  std::int64_t count() const { return outer * channels * inner; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, count(), Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"beta", dtype, channels, Access::kIn},
            {"running_mean", dtype, channels, Access::kIn},
            {"running_var", dtype, channels, Access::kIn, Fill::kPositive},
            {"residual", dtype, residual ? count() : 0, Access::kIn},
            {"y", dtype, count(), Access::kOut}};
  }
  double flops() const override { return (residual ? 4 : 3) * static_cast<double>(count()); }

  std::int64_t outer;
  std::int64_t channels;
  std::int64_t inner;
  double epsilon;
  bool residual;
};

class BatchNormReluBackward final : public Op {
 public:
  BatchNormReluBackward(DType type, std::int64_t outer_, std::int64_t channels_, std::int64_t inner_,
                        bool residual_)
      : Op(type), outer(outer_), channels(channels_), inner(inner_), residual(residual_) {}
  std::string_view name() const override { return "batch_norm_relu_backward"; }
  std::string text() const override {
    return concat("o", outer, " c", channels, " i", inner, residual ? " residual" : "");
  }
  std::int64_t count() const { return outer * channels * inner; }
  std::vector<BufferSpec> buffers() const override {
    return {
        {"dy", dtype, count(), Access::kIn},      {"x", dtype, count(), Access::kIn},
        {"y", dtype, count(), Access::kIn},       {"gamma", dtype, channels, Access::kIn},
        {"mean", dtype, channels, Access::kIn},   {"invstd", dtype, channels, Access::kIn, Fill::kPositive},
        {"dx", dtype, count(), Access::kOut},     {"dgamma", dtype, channels, Access::kOut},
        {"dbeta", dtype, channels, Access::kOut}, {"dresidual", dtype, residual ? count() : 0, Access::kOut}};
  }
  double flops() const override { return 9 * static_cast<double>(count()); }
  double sum_length() const override { return static_cast<double>(outer * inner); }

  std::int64_t outer;
  std::int64_t channels;
  std::int64_t inner;
  bool residual;
};

}  // namespace umbra

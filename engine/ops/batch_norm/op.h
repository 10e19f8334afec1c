// Batch normalisation over [N, C, S] (Ioffe & Szegedy 2015), S the product of the spatial extents (1 for
// BatchNorm1d).
//
// Training:   mean_c, var_c over the N * S values of channel c (var biased);  invstd = 1 / sqrt(var +
// epsilon)
//             y = gamma (x - mean) invstd + beta
//             running_mean <- (1 - momentum) running_mean + momentum mean
//             running_var  <- (1 - momentum) running_var  + momentum var N S / (N S - 1)
// Inference:  the same with the running statistics.
// Backward (training):  xhat = (x - mean) invstd
//             dbeta = sum dy,  dgamma = sum dy xhat,
//             dx = gamma invstd (dy - dbeta / (N S) - xhat dgamma / (N S))
// Conventions (biased variance in y, unbiased in running_var, momentum 0.1, epsilon 1e-5) are PyTorch's.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class BatchNormForward final : public Op {
 public:
  BatchNormForward(DType type, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_,
                   double epsilon_, double momentum_)
      : Op(type),
        batch(batch_),
        channels(channels_),
        volume(volume_),
        epsilon(epsilon_),
        momentum(momentum_) {}
  std::string_view name() const override { return "batch_norm_forward"; }
  std::string text() const override { return concat("n", batch, " c", channels, " s", volume); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, batch * channels * volume, Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"beta", dtype, channels, Access::kIn},
            {"running_mean", dtype, channels, Access::kInOut},
            {"running_var", dtype, channels, Access::kInOut, Fill::kPositive},
            {"y", dtype, batch * channels * volume, Access::kOut},
            {"mean", dtype, channels, Access::kOut},
            {"invstd", dtype, channels, Access::kOut}};
  }
  double flops() const override { return 5 * static_cast<double>(batch * channels * volume); }
  double sum_length() const override { return static_cast<double>(batch * volume); }

  std::int64_t batch;
  std::int64_t channels;
  std::int64_t volume;
  double epsilon;
  double momentum;
};

class BatchNormInference final : public Op {
 public:
  BatchNormInference(DType type, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_,
                     double epsilon_)
      : Op(type), batch(batch_), channels(channels_), volume(volume_), epsilon(epsilon_) {}
  std::string_view name() const override { return "batch_norm_inference"; }
  std::string text() const override { return concat("n", batch, " c", channels, " s", volume); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, batch * channels * volume, Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"beta", dtype, channels, Access::kIn},
            {"running_mean", dtype, channels, Access::kIn},
            {"running_var", dtype, channels, Access::kIn, Fill::kPositive},
            {"y", dtype, batch * channels * volume, Access::kOut}};
  }
  double flops() const override { return 2 * static_cast<double>(batch * channels * volume); }

  std::int64_t batch;
  std::int64_t channels;
  std::int64_t volume;
  double epsilon;
};

class BatchNormBackward final : public Op {
 public:
  BatchNormBackward(DType type, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_)
      : Op(type), batch(batch_), channels(channels_), volume(volume_) {}
  std::string_view name() const override { return "batch_norm_backward"; }
  std::string text() const override { return concat("n", batch, " c", channels, " s", volume); }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, batch * channels * volume, Access::kIn},
            {"x", dtype, batch * channels * volume, Access::kIn},
            {"gamma", dtype, channels, Access::kIn},
            {"mean", dtype, channels, Access::kIn},
            {"invstd", dtype, channels, Access::kIn, Fill::kPositive},
            {"dx", dtype, batch * channels * volume, Access::kOut},
            {"dgamma", dtype, channels, Access::kOut},
            {"dbeta", dtype, channels, Access::kOut}};
  }
  double flops() const override { return 8 * static_cast<double>(batch * channels * volume); }
  double sum_length() const override { return static_cast<double>(batch * volume); }

  std::int64_t batch;
  std::int64_t channels;
  std::int64_t volume;
};

}  // namespace umbra

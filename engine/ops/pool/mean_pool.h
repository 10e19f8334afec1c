// Global average pooling on batch-last data:  y[c, n] = mean over s of x[s, c, n],  and its adjoint
// dx[s, c, n] = dy[c, n] / S.
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class MeanPoolForward final : public Op {
 public:
  MeanPoolForward(DType type, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_)
      : Op(type), batch(batch_), channels(channels_), volume(volume_) {}
  static constexpr std::string_view kName = "mean_pool_forward";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", batch, " c", channels, " s", volume); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, batch * channels * volume, Access::kIn},
            {"y", dtype, batch * channels, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(batch * channels * volume); }
  double sum_length() const override { return static_cast<double>(volume); }

  std::int64_t batch;
  std::int64_t channels;
  std::int64_t volume;
};

class MeanPoolBackward final : public Op {
 public:
  MeanPoolBackward(DType type, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_)
      : Op(type), batch(batch_), channels(channels_), volume(volume_) {}
  static constexpr std::string_view kName = "mean_pool_backward";
  std::string_view name() const override { return kName; }
  std::string text() const override { return concat("n", batch, " c", channels, " s", volume); }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, batch * channels, Access::kIn},
            {"dx", dtype, batch * channels * volume, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(batch * channels * volume); }

  std::int64_t batch;
  std::int64_t channels;
  std::int64_t volume;
};

}  // namespace umbra

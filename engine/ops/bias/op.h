// Bias of a convolution:  y[n, c, s] = x[n, c, s] + bias[c],  and its adjoint  dbias[c] = sum over n, s of
// dy[n, c, s].
#pragma once

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

class BiasForward final : public Op {
 public:
  BiasForward(DType type, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_)
      : Op(type), batch(batch_), channels(channels_), volume(volume_) {}
  std::string_view name() const override { return "bias_forward"; }
  std::string text() const override { return concat("n", batch, " c", channels, " s", volume); }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, batch * channels * volume, Access::kIn},
            {"bias", dtype, channels, Access::kIn},
            {"y", dtype, batch * channels * volume, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(batch * channels * volume); }
  bool exact_on_integers() const override { return true; }

  std::int64_t batch;
  std::int64_t channels;
  std::int64_t volume;
};

class BiasBackward final : public Op {
 public:
  BiasBackward(DType type, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_)
      : Op(type), batch(batch_), channels(channels_), volume(volume_) {}
  std::string_view name() const override { return "bias_backward"; }
  std::string text() const override { return concat("n", batch, " c", channels, " s", volume); }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, batch * channels * volume, Access::kIn}, {"dbias", dtype, channels, Access::kOut}};
  }
  double flops() const override { return static_cast<double>(batch * channels * volume); }
  double sum_length() const override { return static_cast<double>(batch * volume); }
  bool exact_on_integers() const override { return true; }

  std::int64_t batch;
  std::int64_t channels;
  std::int64_t volume;
};

}  // namespace umbra

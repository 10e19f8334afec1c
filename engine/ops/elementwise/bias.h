// Bias of a convolution:  y[n, c, s] = x[n, c, s] + bias[c],  and its adjoint  dbias[c] = sum over n, s of
// dy[n, c, s].
#pragma once

#include "engine/base/error.h"
#include "engine/ops/kernel.h"
#include "engine/ops/op.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

class BiasForward final : public Op {
 public:
  BiasForward(DType type, std::int64_t batch_, std::int64_t channels_, std::int64_t volume_)
      : Op(type), batch(batch_), channels(channels_), volume(volume_) {}
  static constexpr std::string_view kName = "bias_forward";
  std::string_view name() const override { return kName; }
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
  static constexpr std::string_view kName = "bias_backward";
  std::string_view name() const override { return kName; }
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

template <class T>
void bias_forward_reference(const BiasForward& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);     // [N, C, S]
  const T* bias = buffers.in<T>(1);  // [C]
  T* y = buffers.out<T>(2);          // [N, C, S]
  for (std::int64_t row = 0; row < op.batch * op.channels; ++row) {
    for (std::int64_t s = 0; s < op.volume; ++s) {
      y[row * op.volume + s] = x[row * op.volume + s] + bias[row % op.channels];
    }
  }
}

template <class T>
void bias_backward_reference(const BiasBackward& op, Buffers buffers, void*, Stream&) {
  const T* dy = buffers.in<T>(0);  // [N, C, S]
  T* dbias = buffers.out<T>(1);    // [C]
  for (std::int64_t c = 0; c < op.channels; ++c) {
    Accumulator<T> sum(0);
    for (std::int64_t n = 0; n < op.batch; ++n) {
      for (std::int64_t s = 0; s < op.volume; ++s)
        sum += Accumulator<T>(dy[(n * op.channels + c) * op.volume + s]);
    }
    dbias[c] = T(sum);
  }
}

}  // namespace umbra

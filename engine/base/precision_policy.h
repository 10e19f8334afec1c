// PrecisionPolicy: what the setting `precision` means for a network, in one place: what the operands of its
// products are rounded to, as what its weights stand in memory, and which weights have a copy in bfloat16.
#pragma once

#include <cstdint>

#include "engine/base/device.h"
#include "engine/base/dtype.h"
#include "engine/base/precision.h"

namespace umbra {

class PrecisionPolicy {
 public:
  constexpr PrecisionPolicy(Precision precision = Precision::kF32)
      : precision_(precision) {}  // NOLINT: a policy is a precision

  /// Of the operands of linear layers, and of convolutions. With few input channels per group (a network's
  /// first layer, where an instruction's sum over channels would be mostly padding, or depthwise) a
  /// convolution computes in fp32, as does everything that is no product.
  constexpr Precision linear_operands() const { return precision_; }
  constexpr Precision conv_operands(std::int64_t in_channels) const {
    constexpr std::int64_t kFewChannels = 4;
    return in_channels > kFewChannels ? precision_ : Precision::kF32;
  }

  /// As what a convolution of a network on `dtype` holds its weights. One that is only asked holds those of
  /// bf16 products as bfloat16: half of the memory.
  constexpr DType conv_weights(std::int64_t in_channels, DType dtype, bool learns) const {
    return !learns && conv_operands(in_channels) == Precision::kBf16 ? DType::kBf16 : dtype;
  }

  /// Whether weights of type `dtype` that are multiplied as `operands` have a copy in bfloat16 beside them,
  /// which the optimisers renew as they write the weights: in training on a GPU, whose kernels read half the
  /// bytes then.
  static constexpr bool keeps_bf16_copy(Precision operands, DType dtype, bool learns, Device::Kind device) {
    return learns && operands == Precision::kBf16 && dtype == DType::kF32 && device == Device::Kind::kCuda;
  }

 private:
  Precision precision_;
};

}  // namespace umbra

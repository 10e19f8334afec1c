// PrecisionPolicy defines in one place what the setting `precision` means for a network: the format to which
// the operands of products are rounded, the format of the weights in memory, and which weights also have a
// bfloat16 copy.
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

  /// Precision of the operands of linear layers and of convolutions. A convolution with few input channels
  /// per group (a network's first layer, where an instruction's sum over channels would be mostly padding, or
  /// a depthwise one) computes in fp32, as does every op that is not a product.
  constexpr Precision linear_operands() const { return precision_; }
  constexpr Precision conv_operands(std::int64_t in_channels) const {
    constexpr std::int64_t kFewChannels = 4;
    return in_channels > kFewChannels ? precision_ : Precision::kF32;
  }

  /// The type in which a convolution of a network on `dtype` stores its weights. A network used for inference
  /// only stores the weights of bf16 products as bfloat16, which halves their memory.
  constexpr DType conv_weights(std::int64_t in_channels, DType dtype, bool learns) const {
    return !learns && conv_operands(in_channels) == Precision::kBf16 ? DType::kBf16 : dtype;
  }

  /// Whether weights of type `dtype` that are multiplied as `operands` also have a bfloat16 copy, which the
  /// optimisers update when they write the weights. True in training on a GPU, whose kernels then read half
  /// the bytes.
  static constexpr bool keeps_bf16_copy(Precision operands, DType dtype, bool learns, Device::Kind device) {
    return learns && operands == Precision::kBf16 && dtype == DType::kF32 && device == Device::Kind::kCuda;
  }

 private:
  Precision precision_;
};

}  // namespace umbra

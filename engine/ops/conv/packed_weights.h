// The weights of a convolution as a packed operand (PackOperand), which its passes on tensor cores may read.
#pragma once

#include "engine/base/packed.h"
#include "engine/ops/conv/geometry.h"

namespace umbra {

/// The end of an op's text: "" or " weights=packed".
constexpr std::string_view packed_weights_text(bool packed) {
  return packed ? " weights=packed" : "";
}

/// Why a rung that reads no packed operands does not support them, or "".
inline std::string unusual_weights(bool packed) {
  return packed ? "it reads no packed weights" : "";
}

/// The buffer w of dgrad: straight, [live tap, Cin, pitch], the sum runs over Cout.
inline BufferSpec packed_weights_of_dgrad(const ConvGeometry& g, Precision precision, DType dtype) {
  return {"w", packed_type(precision, dtype),
          g.live_taps() * g.in_channels * packed_pitch(precision, g.out_channels), Access::kIn};
}
/// Of fprop and inference, whose sum runs over Cin: transposed in TF32, [live tap, Cout, pitch]; in bf16 tensor cores read
/// what dgrad reads.
inline BufferSpec packed_weights_of_fprop(const ConvGeometry& g, Precision precision, DType dtype) {
  if (precision == Precision::kBf16) return packed_weights_of_dgrad(g, precision, dtype);
  return {"w", packed_type(precision, dtype),
          g.live_taps() * g.out_channels * packed_pitch(precision, g.in_channels), Access::kIn};
}

}  // namespace umbra

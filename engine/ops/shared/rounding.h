// Shared by the ops that round the operands of their products (conv, conv_inference, linear).
#pragma once

#include <string>

#include "engine/base/dtype.h"
#include "engine/base/error.h"

namespace umbra {

/// Weights are stored as numbers of the op's dtype, or, with precision bf16, as bfloat16.
inline void check_weights(DType dtype, Precision precision, DType weights) {
  require(weights == dtype || (weights == DType::kBf16 && precision == Precision::kBf16),
          "weights stored as ", name_of(weights), " match neither dtype ", name_of(dtype), " nor precision ",
          name_of(precision));
}

/// The end of an op's text, after the geometry: "", " tf32", " bf16", " bf16 weights=bf16".
inline std::string rounding_text(Precision precision, DType weights) {
  return concat(precision == Precision::kF32 ? "" : concat(" ", name_of(precision)),
                weights == DType::kBf16 ? " weights=bf16" : "");
}

/// Why a rung that multiplies rounded operands does not support an op, or "".
inline std::string declines_fp32(Precision precision) {
  return precision == Precision::kF32 ? "it computes with precision tf32 or bf16 only" : "";
}
/// Why a rung that reads weights as numbers of the op's dtype does not support an op, or "".
inline std::string declines_bf16_weights(DType weights) {
  return weights == DType::kBf16 ? "it supports only weights of type f32" : "";
}
/// Why a rung that computes with precision `own` only, its weights of type f32, does not support an op, or
/// "".
inline std::string declines_other_precisions(Precision own, Precision precision, DType weights) {
  if (precision != own) return concat("it computes with precision ", name_of(own), " only");
  return declines_bf16_weights(weights);
}

/// Returns operands unchanged.
struct NotRounded {
  template <class T>
  const T& operator()(const T& value) const {
    return value;
  }
};

/// Calls body with a pointer to the weights of an op on T, of the type in which they are stored.
template <class T, class Body>
void with_weights(DType weights, const void* w, const Body& body) {
  if (weights == DType::kBf16) return body(static_cast<const Bf16*>(w));
  body(static_cast<const T*>(w));
}

}  // namespace umbra

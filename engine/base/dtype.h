// Element types of tensors and kernel buffers. bf16 is a storage format: arithmetic never uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/precision.h"

namespace umbra {

enum class DType { kF32, kF64, kI32, kI64, kBf16 };

constexpr std::size_t size_of(DType type) {
  if (type == DType::kBf16) return 2;
  return type == DType::kF32 || type == DType::kI32 ? 4 : 8;
}

constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::kF32:
      return "f32";
    case DType::kF64:
      return "f64";
    case DType::kI32:
      return "i32";
    case DType::kI64:
      return "i64";
    case DType::kBf16:
      return "bf16";
  }
  return "?";
}

template <class T>
inline constexpr DType dtype_of = DType::kF32;
template <>
inline constexpr DType dtype_of<double> = DType::kF64;
template <>
inline constexpr DType dtype_of<std::int32_t> = DType::kI32;
template <>
inline constexpr DType dtype_of<std::int64_t> = DType::kI64;
template <>
inline constexpr DType dtype_of<Bf16> = DType::kBf16;

}  // namespace umbra

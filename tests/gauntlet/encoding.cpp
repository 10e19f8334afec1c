#include "tests/gauntlet/encoding.h"

#include <cstdint>
#include <cstring>

namespace umbra::gauntlet {
namespace {

template <class T>
void encode_as(const std::vector<double>& values, std::byte* to) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = static_cast<T>(values[i]);
    std::memcpy(to + i * sizeof(T), &value, sizeof(T));
  }
}

template <class T>
std::vector<double> decode_as(const std::byte* from, std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

}  // namespace

void encode(DType dtype, const std::vector<double>& values, std::byte* to) {
  switch (dtype) {
    case DType::kF32:
      return encode_as<float>(values, to);
    case DType::kF64:
      return encode_as<double>(values, to);
    case DType::kI32:
      return encode_as<std::int32_t>(values, to);
    case DType::kI64:
      return encode_as<std::int64_t>(values, to);
    case DType::kBf16:
      return encode_as<Bf16>(values, to);
  }
}

std::vector<double> decode(DType dtype, const std::byte* from, std::size_t count) {
  switch (dtype) {
    case DType::kF32:
      return decode_as<float>(from, count);
    case DType::kF64:
      return decode_as<double>(from, count);
    case DType::kI32:
      return decode_as<std::int32_t>(from, count);
    case DType::kI64:
      return decode_as<std::int64_t>(from, count);
    case DType::kBf16:
      return decode_as<Bf16>(from, count);
  }
  return {};
}

}  // namespace umbra::gauntlet

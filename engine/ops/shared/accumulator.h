// The type of accumulators: double for float data, the type itself for double and for dual numbers.
#pragma once

#include <type_traits>

namespace umbra {

template <class T>
using Accumulator = std::conditional_t<std::is_same_v<T, float>, double, T>;

}  // namespace umbra

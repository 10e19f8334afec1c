// The definitions of the whole-buffer reductions, for float and double.
#pragma once

#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/reduce/op.h"

namespace umbra {

template <class T>
void sum_reference(const Sum& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);
  double sum = 0;
  for (std::int64_t i = 0; i < op.count; ++i) sum += static_cast<double>(x[i]);
  *buffers.out<double>(1) = sum;
}

template <class T>
void sum_squares_reference(const SumSquares& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);
  double sum = 0;
  for (std::int64_t i = 0; i < op.count; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  *buffers.out<double>(1) = sum;
}

template <class T>
void count_nonfinite_reference(const CountNonfinite& op, Buffers buffers, void*, Stream&) {
  const T* x = buffers.in<T>(0);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < op.count; ++i) count += std::isfinite(x[i]) ? 0 : 1;
  *buffers.out<std::int64_t>(1) = count;
}

}  // namespace umbra

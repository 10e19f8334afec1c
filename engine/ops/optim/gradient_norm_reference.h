// The definitions of gradient_norm, for float and double, and of clip, on any scalar.
#pragma once

#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/optim/gradient_norm.h"

namespace umbra {

template <class T>
void gradient_norm_reference(const GradientNorm& op, Buffers buffers, void*, Stream&) {
  double sum = 0;
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    const T* x = buffers.in<T>(k);
    for (std::int64_t i = 0; i < op.tensors[k].count; ++i) {
      sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    }
  }
  const double norm = std::sqrt(sum);
  *buffers.out<double>(op.tensors.size()) = norm;
  *buffers.out<T>(op.tensors.size() + 1) = T(clip_factor(norm, op.max_norm));
}

template <class T>
void clip_reference(const Clip& op, Buffers buffers, void*, Stream&) {
  const T factor = *buffers.last<T>();
  if (factor == T(1)) return;
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    T* x = buffers.out<T>(k);
    for (std::int64_t i = 0; i < op.tensors[k].count; ++i) x[i] = factor * x[i];
  }
}

}  // namespace umbra

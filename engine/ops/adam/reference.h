// The definition of a step of Adam or AdamW, on any scalar, operation by operation as torch.optim's
// single-tensor path does it (1.13): scalars are combined in double and rounded once to the type of the
// tensors.
#pragma once

#include <cmath>

#include "engine/ops/adam/op.h"
#include "engine/ops/adam/scalars.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class T>
void adam_step_reference(const AdamStep& op, Buffers buffers, void*, Stream&) {
  using std::sqrt;
  T* p = static_cast<T*>(buffers[0]);
  const T* g = static_cast<const T*>(buffers[1]);
  T* m = static_cast<T*>(buffers[2]);
  T* v = static_cast<T*>(buffers[3]);
  const AdamScalars<T> s(op, static_cast<const double*>(buffers[4]));
  for (std::int64_t i = 0; i < op.count; ++i) {
    T gradient = op.gradient_absent ? T(0) : g[i];
    if (op.weight_decay != 0) {
      if (op.decoupled) p[i] = p[i] * s.shrink;
      if (!op.decoupled) gradient = gradient + s.weight_decay * p[i];
    }
    m[i] = m[i] * s.beta1 + s.rest1 * gradient;
    v[i] = v[i] * s.beta2 + s.rest2 * gradient * gradient;
    const T denominator = sqrt(v[i]) / s.root_bc2 + s.epsilon;
    p[i] = p[i] + s.minus_step * m[i] / denominator;
  }
}

}  // namespace umbra

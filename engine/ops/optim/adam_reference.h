// The definition of a step of Adam or AdamW, on any scalar, operation by operation as in torch.optim's
// single-tensor path (1.13): scalars are combined in double and rounded once to the type of the tensors.
#pragma once

#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/optim/adam_scalars.h"

namespace umbra {

template <class T>
void adam_step_reference(const AdamStep& op, Buffers buffers, void*, Stream&) {
  using std::sqrt;
  constexpr std::size_t kBuffers = AdamStep::kBuffers;
  const AdamScalars<T> s(op.rule, buffers.last<double>());
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    T* p = buffers.out<T>(kBuffers * k);
    const T* g = buffers.in<T>(kBuffers * k + 1);
    T* m = buffers.out<T>(kBuffers * k + 2);
    T* v = buffers.out<T>(kBuffers * k + 3);
    Bf16* bf16_copy = buffers.out<Bf16>(kBuffers * k + 4);
    for (std::int64_t i = 0; i < op.tensors[k].count; ++i) {
      T gradient = op.tensors[k].gradient_absent ? T(0) : g[i];
      if (op.rule.weight_decay != 0) {
        if (op.rule.decoupled) p[i] = p[i] * s.shrink;
        if (!op.rule.decoupled) gradient = gradient + s.weight_decay * p[i];
      }
      m[i] = m[i] * s.beta1 + s.rest1 * gradient;
      v[i] = v[i] * s.beta2 + s.rest2 * gradient * gradient;
      const T denominator = sqrt(v[i]) / s.root_bc2 + s.epsilon;
      p[i] = p[i] + s.minus_step * m[i] / denominator;
      if constexpr (std::is_floating_point_v<T>) {
        if (op.tensors[k].bf16_copy) bf16_copy[i] = Bf16(p[i]);
      }
    }
  }
}

}  // namespace umbra

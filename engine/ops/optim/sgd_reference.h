// The definition of a step of stochastic gradient descent, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/optim/sgd.h"

namespace umbra {

template <class T>
void sgd_step_reference(const SgdStep& op, Buffers buffers, void*, Stream&) {
  const T minus_lr(-*buffers.last<double>());
  constexpr std::size_t kBuffers = SgdStep::kBuffers;
  const T momentum(op.momentum), weight_decay(op.weight_decay);
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    T* p = buffers.out<T>(kBuffers * k);
    const T* g = buffers.in<T>(kBuffers * k + 1);
    T* v = buffers.out<T>(kBuffers * k + 2);  // empty without momentum
    Bf16* bf16_copy = buffers.out<Bf16>(kBuffers * k + 3);
    for (std::int64_t i = 0; i < op.tensors[k].count; ++i) {
      T step = op.tensors[k].gradient_absent ? T(0) : g[i];
      if (op.weight_decay != 0) step = step + weight_decay * p[i];
      if (op.momentum != 0) step = v[i] = v[i] * momentum + step;
      p[i] = p[i] + minus_lr * step;
      if constexpr (std::is_floating_point_v<T>) {
        if (op.tensors[k].bf16_copy) bf16_copy[i] = Bf16(p[i]);
      }
    }
  }
}

}  // namespace umbra

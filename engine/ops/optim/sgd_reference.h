// The definition of a step of stochastic gradient descent, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/optim/sgd.h"

namespace umbra {

template <class T>
void sgd_step_reference(const SgdStep& op, Buffers buffers, void*, Stream&) {
  const double* scalars = buffers.last<double>();
  constexpr std::size_t kBuffers = SgdStep::kBuffers;
  const T minus_lr(-scalars[0]), momentum(op.rule.momentum), weight_decay(op.rule.weight_decay);
  for (std::size_t k = 0; k < op.tensors.size(); ++k) {
    T* p = buffers.out<T>(kBuffers * k);
    const T* g = buffers.in<T>(kBuffers * k + 1);
    T* v = buffers.out<T>(kBuffers * k + 2);  // empty without momentum
    Bf16* bf16_copy = buffers.out<Bf16>(kBuffers * k + 3);
    const T share(op.rule.dampened ? scalars[op.tensors[k].share_at] : 1);
    for (std::int64_t i = 0; i < op.tensors[k].count; ++i) {
      T step = op.tensors[k].gradient_absent ? T(0) : g[i];
      if (op.rule.weight_decay != 0) step = step + weight_decay * p[i];
      if (op.rule.momentum != 0) {
        v[i] = v[i] * momentum + share * step;
        step = op.rule.nesterov ? step + momentum * v[i] : v[i];
      }
      p[i] = p[i] + minus_lr * step;
      if constexpr (std::is_floating_point_v<T>) {
        if (op.tensors[k].bf16_copy) bf16_copy[i] = Bf16(p[i]);
      }
    }
  }
}

}  // namespace umbra

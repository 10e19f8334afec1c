// The definitions of the reductions over axes and of their adjoints, on any scalar.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/reduce/reduce_axes.h"
#include "engine/ops/shared/accumulator.h"

namespace umbra {

template <class T>
void reduce_axes_forward_reference(const ReduceAxesForward& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  const AxesIndex index(op.geometry);
  for (std::int64_t o = 0; o < op.geometry.outputs(); ++o) {
    const T* x = buffers.in<T>(0) + index.first(o);
    W value(fold_start(op.how));
    for (std::int64_t t = 0; t < op.geometry.terms(); ++t) value = folded(op.how, value, W(x[index.step(t)]));
    buffers.out<T>(1)[o] = T(value / W(op.divisor()));
  }
}

template <class T>
void reduce_axes_backward_reference(const ReduceAxesBackward& op, Buffers buffers, void*, Stream&) {
  using W = Accumulator<T>;
  const T* dy = buffers.in<T>(0);
  const AxesIndex index(op.geometry);
  for (std::int64_t o = 0; o < op.geometry.outputs(); ++o) {
    const std::int64_t first = index.first(o);
    const auto gets_it = [&](std::int64_t t) {
      return !picks(op.how) || buffers.in<T>(1)[first + index.step(t)] == buffers.in<T>(2)[o];
    };
    double ties = 0;
    for (std::int64_t t = 0; t < op.geometry.terms(); ++t) ties += gets_it(t) ? 1 : 0;
    const W divisor(picks(op.how) ? ties : op.divisor());
    for (std::int64_t t = 0; t < op.geometry.terms(); ++t)
      buffers.out<T>(3)[first + index.step(t)] = T((gets_it(t) ? W(dy[o]) : W(0.0)) / divisor);
  }
}

}  // namespace umbra

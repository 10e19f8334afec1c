// The definition of dropout, on any scalar.
#pragma once

#include "engine/base/philox.h"
#include "engine/ops/dropout/op.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class T>
void dropout_reference(const Dropout& op, Buffers buffers, void*, Stream&) {
  const T* x = static_cast<const T*>(buffers[0]);
  T* y = static_cast<T*>(buffers[2]);
  const Rng rng = dropout_rng(op.seed, *static_cast<const std::int64_t*>(buffers[1]), op.layer);
  for (std::int64_t i = 0; i < op.count; ++i) {
    const Philox4 words = rng.words(static_cast<std::uint64_t>(i / 4));
    const bool kept = uniform_from(words[static_cast<std::size_t>(i % 4)]) >= op.p;
    y[i] = kept ? x[i] / T(1 - op.p) : T(0);
  }
}

}  // namespace umbra

// The definitions of concatenate and split, on any scalar.
#pragma once

#include "engine/ops/data_movement/concatenate.h"
#include "engine/ops/kernel.h"

namespace umbra {

/// Calls body(element of the whole, part, element of the part) for every number.
template <class Body>
void for_joined(const JoinOp& op, const Body& body) {
  std::int64_t whole = 0;
  for (std::int64_t o = 0; o < op.outer; ++o) {
    for (std::size_t part = 0; part < op.extents.size(); ++part) {
      for (std::int64_t i = 0; i < op.row(part); ++i) body(whole++, part, o * op.row(part) + i);
    }
  }
}

template <class T>
void concatenate_reference(const Concatenate& op, Buffers b, void*, Stream&) {
  T* y = b.out<T>(op.extents.size());
  for_joined(op, [&](std::int64_t whole, std::size_t part, std::int64_t i) { y[whole] = b.in<T>(part)[i]; });
}

template <class T>
void split_reference(const Split& op, Buffers b, void*, Stream&) {
  const T* x = b.in<T>(0);
  for_joined(op,
             [&](std::int64_t whole, std::size_t part, std::int64_t i) { b.out<T>(part + 1)[i] = x[whole]; });
}

}  // namespace umbra

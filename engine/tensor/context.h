// Context: what running ops needs, in one place and by name: the registry of kernels, a stream, the memory
// for temporaries, and an observer of calls. There is no global one.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>

#include "engine/base/precision_policy.h"
#include "engine/registry/registry.h"
#include "engine/runtime/arena.h"
#include "engine/tensor/tensor.h"

namespace umbra {

struct Context {
  Context(const Registry& r, Device device) : registry(r), stream(device), arena(device) {}

  const Registry& registry;
  Stream stream;
  Arena arena;
  PrecisionPolicy precision{};
  /// When set, sees every call after it has been queued: the op, the rung that ran it and its tensors. For
  /// profiles and for naming the first op that made a NaN.
  std::function<void(const Op&, const Kernel&, std::span<const Tensor>, double seconds)> observer;

  Device device() const { return stream.device(); }
  /// A temporary with arbitrary contents from the arena.
  Tensor temporary(Shape shape, DType dtype) {
    return {arena.take(static_cast<std::size_t>(shape.count()) * size_of(dtype)), 0, shape, dtype};
  }
  Tensor temporary(Shape shape, DType dtype, const Layout& layout) {
    return {arena.take(static_cast<std::size_t>(layout.stored(shape)) * size_of(dtype)), 0, shape, dtype,
            layout};
  }
  /// A temporary with the shape, dtype and layout of `tensor`.
  Tensor temporary_like(const Tensor& tensor) {
    return temporary(tensor.shape(), tensor.dtype(), tensor.layout());
  }
};

/// Runs `op` on `tensors` (one per buffer, in order; an undefined Tensor stands for an empty buffer) with the
/// rung the registry chooses. Throws Error when counts, dtypes or devices do not fit the op's buffers.
void call(Context& context, const Op& op, std::span<const Tensor> tensors);
inline void call(Context& context, const Op& op, std::initializer_list<Tensor> tensors) {
  call(context, op, std::span<const Tensor>(tensors.begin(), tensors.size()));
}

}  // namespace umbra

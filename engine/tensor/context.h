// Context: everything that running an op needs: the registry of kernels, a stream, the memory for temporary
// tensors, and an observer of calls. There is no global context.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>

#include "engine/base/precision_policy.h"
#include "engine/registry/registry.h"
#include "engine/runtime/arena.h"
#include "engine/tensor/tensor.h"

namespace umbra {

/// What ops run with: kernels, stream, memory and precision. Not thread-safe.
struct Context {
  /// Creates a stream and an arena on `device`. `r` must outlive the context.
  Context(const Registry& r, Device device) : registry(r), stream(device), arena(device) {}

  const Registry& registry;     ///< chooses the rung (kernel variant) that runs an op
  Stream stream;                ///< the queue of all work of this context
  Arena arena;                  ///< memory of temporary tensors
  PrecisionPolicy precision{};  ///< rounding of the operands of products; fp32 by default
  /// When set, it is called with every op after its kernel has finished: the op, the rung that ran it, its
  /// tensors and the seconds it took. For profiles and for finding the first op whose result is a NaN.
  std::function<void(const Op&, const Kernel&, std::span<const Tensor>, double seconds)> observer;

  /// The device of the stream and the arena.
  Device device() const { return stream.device(); }
  /// An uninitialised row-major tensor with memory from the arena.
  Tensor temporary(Shape shape, DType dtype) {
    return {arena.take(static_cast<std::size_t>(shape.count()) * size_of(dtype)), 0, shape, dtype};
  }
  /// An uninitialised tensor of this layout with memory from the arena.
  Tensor temporary(Shape shape, DType dtype, const Layout& layout) {
    return {arena.take(static_cast<std::size_t>(layout.stored(shape)) * size_of(dtype)), 0, shape, dtype,
            layout};
  }
  /// An uninitialised tensor with the shape, dtype and layout of `tensor`.
  Tensor temporary_like(const Tensor& tensor) {
    return temporary(tensor.shape(), tensor.dtype(), tensor.layout());
  }
};

/// Runs `op` on `tensors` with the rung that the registry chooses. There is one tensor per buffer of the op,
/// in order; an undefined Tensor is an empty buffer. Throws Error when counts, dtypes or devices do not match
/// the op's buffers, when no rung supports the op, or when the device refuses the launch.
void call(Context& context, const Op& op, std::span<const Tensor> tensors);
/// The same for a list of tensors written in braces.
inline void call(Context& context, const Op& op, std::initializer_list<Tensor> tensors) {
  call(context, op, std::span<const Tensor>(tensors.begin(), tensors.size()));
}

}  // namespace umbra

// Ops that multiply by weights read either the weights or their bfloat16 copy; the choice is made here.
// Internal: included by the sources of this folder only, and not installed.
#pragma once

#include "engine/tensor/context.h"

namespace umbra {

/// Runs `op`, whose second buffer is the weights, on `tensors`. It reads the bfloat16 copy instead of the
/// weights if the op rounds to bf16, the copy is defined, and the rung (kernel variant) that reads the copy
/// is not lower on the ladder than the one that reads the weights.
template <class O>
void call_with_weights(Context& context, const O& op, std::vector<Tensor> tensors, const Tensor& bf16_copy) {
  if (op.precision != Precision::kBf16 || !bf16_copy.defined()) return call(context, op, tensors);
  O reads_copy = op;
  reads_copy.weights = DType::kBf16;
  const Device::Kind device = context.device().kind;
  const auto height = context.registry.height(op, device),
             of_copy = context.registry.height(reads_copy, device);
  if (!of_copy || (height && *of_copy < *height)) return call(context, op, tensors);
  tensors[1] = bf16_copy.elements(0, bf16_copy.count());
  call(context, reads_copy, tensors);
}

}  // namespace umbra

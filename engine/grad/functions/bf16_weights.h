// Ops that multiply by weights: which of the two, the weights or their copy in bfloat16, they read.
#pragma once

#include "engine/tensor/context.h"

namespace umbra {

/// Runs `op`, whose second buffer are weights, on `tensors`. Where it rounds to bf16, the weights have a copy
/// in bfloat16 (which otherwise is undefined) and the rung that takes the copy is no lower than the one that
/// takes the weights, it reads the copy.
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

// Ops that multiply by weights read the weights, their bfloat16 copy or a packed form; the choice is made here.
// Internal: included by the sources of this folder only, and not installed.
#pragma once

#include "engine/grad/packed_weights.h"

namespace umbra {

/// Whether the rung (kernel variant) that solves `other` is not lower on the ladder than the one that solves `op`.
template <class O>
bool is_as_high(const Context& context, const O& other, const O& op) {
  const Device::Kind device = context.device().kind;
  const auto height = context.registry.height(op, device), of_other = context.registry.height(other, device);
  return of_other && (!height || *of_other >= *height);
}

/// Runs `op`, whose second buffer is the weights `w`, on `tensors`. It reads the bfloat16 copy instead of the
/// weights if the op rounds to bf16, the copy is defined, and the rung that reads the copy is not lower on the
/// ladder than the one that reads the weights.
template <class O>
void call_with_weights(Context& context, O op, std::vector<Tensor> tensors, const Var& w) {
  if (op.precision == Precision::kBf16 && w->bf16_copy.defined()) {
    O reads_copy = op;
    reads_copy.weights = DType::kBf16;
    if (is_as_high(context, reads_copy, op)) {
      op = reads_copy;
      tensors[1] = w->bf16_copy.elements(0, w->bf16_copy.count());
    }
  }
  call(context, op, tensors);
}

/// The same for an op of a convolution, which reads `form` of the weights if it rounds to TF32 and the rung that is
/// chosen for it reads packed weights. One that is preferred and does not is run on the weights.
template <class O>
void call_with_weights(Context& context, O op, std::vector<Tensor> tensors, const Var& w,
                       Tensor PackedWeights::*form) {
  if (op.precision == Precision::kTf32 && w->packed.kept) {
    O reads_packed = op;
    reads_packed.weights_packed = true;
    const Device::Kind device = context.device().kind;
    const auto height = context.registry.height(op, device);
    if (height && context.registry.height(reads_packed, device) == height) {
      op = reads_packed;
      tensors[1] = packed_form(context, *w, form);
    }
  }
  call_with_weights(context, op, std::move(tensors), w);
}

}  // namespace umbra

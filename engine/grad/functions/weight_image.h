// Ops that multiply by weights: which of the two, the weights or their image in bfloat16, they read.
#pragma once

#include "engine/tensor/context.h"

namespace umbra {

/// Runs `op`, whose second buffer are weights, on `tensors`. Where it rounds to bf16, the
/// weights have an image (which otherwise is undefined) and no lower a rung takes that, it reads the image.
template <class O>
void call_with_weights(Context& context, const O& op, std::vector<Tensor> tensors, const Tensor& image) {
  if (op.precision != Precision::kBf16 || !image.defined()) return call(context, op, tensors);
  O reads_image = op;
  reads_image.weights = DType::kBf16;
  const Device::Kind device = context.device().kind;
  const Kernel* plain = context.registry.choose_if_any(op, device);
  const Kernel* rung = context.registry.choose_if_any(reads_image, device);
  if (rung == nullptr || rung < plain) return call(context, op, tensors);  // of one ladder: side by side
  tensors[1] = image.elements(0, image.count());
  call(context, reads_image, tensors);
}

}  // namespace umbra

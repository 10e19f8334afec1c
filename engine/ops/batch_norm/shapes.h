// The problems on which the rungs of batch_norm are tested and timed.
#pragma once

#include "engine/ops/batch_norm/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems batch_norm_forward_problems(DType dtype) {
  return problems_of_channels<BatchNormForward>(dtype, 1e-5, 0.1);
}
inline Problems batch_norm_inference_problems(DType dtype) {
  return problems_of_channels<BatchNormInference>(dtype, 1e-5);
}
inline Problems batch_norm_backward_problems(DType dtype) {
  return problems_of_channels<BatchNormBackward>(dtype);
}

}  // namespace umbra

// The problems on which the rungs of mean_pool are tested and timed.
#pragma once

#include "engine/ops/mean_pool/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems mean_pool_forward_problems(DType dtype) {
  return problems_of_channels<MeanPoolForward>(dtype);
}
inline Problems mean_pool_backward_problems(DType dtype) {
  return problems_of_channels<MeanPoolBackward>(dtype);
}

}  // namespace umbra

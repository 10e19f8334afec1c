// The problems on which the rungs of relu are tested and timed.
#pragma once

#include "engine/ops/relu/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems relu_forward_problems(DType dtype) {
  return problems_of_counts<ReluForward>(dtype);
}
inline Problems relu_backward_problems(DType dtype) {
  return problems_of_counts<ReluBackward>(dtype);
}

}  // namespace umbra

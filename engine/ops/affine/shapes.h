// The problems on which the rungs of affine are tested and timed.
#pragma once

#include "engine/ops/affine/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems affine_forward_problems(DType dtype) {
  return problems_of_matrices<AffineForward>(dtype);
}
inline Problems affine_backward_problems(DType dtype) {
  return problems_of_matrices<AffineBackward>(dtype);
}

}  // namespace umbra

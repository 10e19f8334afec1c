// The problems on which the rungs of bias are tested and timed.
#pragma once

#include "engine/ops/bias/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems bias_forward_problems(DType dtype) {
  return problems_of_channels<BiasForward>(dtype);
}
inline Problems bias_backward_problems(DType dtype) {
  return problems_of_channels<BiasBackward>(dtype);
}

}  // namespace umbra

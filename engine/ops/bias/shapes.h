// The problems on which the rungs of bias are tested and timed.
#pragma once

#include "engine/ops/bias/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems bias_forward_problems(DType dtype) {
  return problems_of_channels<BiasForward>(dtype);
}
inline Problems bias_backward_problems(DType dtype) {
  Problems problems = problems_of_channels<BiasBackward>(dtype);
  problems.push_back(std::make_unique<BiasBackward>(dtype, 300, 33, 1));  // rows that take two ranges
  return problems;
}

}  // namespace umbra

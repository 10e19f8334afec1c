// The problems on which the rungs of scale and set_value are tested and timed.
#pragma once

#include "engine/ops/scale/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems scale_problems(DType dtype) {
  return problems_of_counts<Scale>(dtype);
}
inline Problems set_value_problems(DType dtype) {
  return problems_of_counts<SetValue>(dtype, 3.0);
}

}  // namespace umbra

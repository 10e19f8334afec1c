// The problems on which the rungs of add are tested and timed.
#pragma once

#include "engine/ops/add/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems add_problems(DType dtype) {
  return problems_of_counts<Add>(dtype);
}

}  // namespace umbra

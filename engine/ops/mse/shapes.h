// The problems on which the rungs of the mean squared error are tested and timed.
#pragma once

#include "engine/ops/mse/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems mean_squared_error_problems(DType dtype) {
  return problems_of_matrices<MeanSquaredError>(dtype);
}

}  // namespace umbra

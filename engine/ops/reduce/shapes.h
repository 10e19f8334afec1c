// The problems on which the rungs of the reductions are tested and timed.
#pragma once

#include "engine/ops/reduce/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems sum_problems(DType dtype) {
  return problems_of_counts<Sum>(dtype);
}
inline Problems sum_squares_problems(DType dtype) {
  return problems_of_counts<SumSquares>(dtype);
}
inline Problems count_nonfinite_problems(DType dtype) {
  return problems_of_counts<CountNonfinite>(dtype);
}

}  // namespace umbra

// The problems on which the rungs of the chi^2 losses are tested and timed.
#pragma once

#include "engine/ops/chi2/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems chi2_linear_problems(DType dtype) {
  return problems_of_matrices<Chi2Linear>(dtype);
}
inline Problems chi2_log_problems(DType dtype) {
  return problems_of_matrices<Chi2Log>(dtype, 0.125);
}

}  // namespace umbra

// The definition of the Poisson likelihood and the problems on which its rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/loss/poisson_reference.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {

Ladder poisson_definition() {
  return define_op<Poisson, poisson_reference<float>, poisson_reference<double>>(
      [](DType dtype) { return problems_of_matrices<Poisson>(dtype, 40.0); });
}

}  // namespace umbra

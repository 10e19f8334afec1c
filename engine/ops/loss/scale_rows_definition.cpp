// The definition of the scaling of rows and the problems on which its rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/loss/scale_rows_reference.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {

Ladder scale_rows_definition() {
  return define_op<ScaleRows, scale_rows_reference<float>, scale_rows_reference<double>>(
      problems_of_matrices<ScaleRows>);
}

}  // namespace umbra

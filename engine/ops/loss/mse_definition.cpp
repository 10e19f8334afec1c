// The definition of the mean squared error and the problems on which its rungs are tested and timed.
#include "engine/ops/ladder.h"
#include "engine/ops/loss/mse_reference.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {

Ladder mean_squared_error_definition() {
  return define_op<MeanSquaredError, mean_squared_error_reference<float>,
                   mean_squared_error_reference<double>>(problems_of_matrices<MeanSquaredError>);
}

}  // namespace umbra

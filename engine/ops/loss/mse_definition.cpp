// The definition of the mean squared error and the problems on which its rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/loss/mse_reference.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {
namespace {

Problems problems(DType dtype) {
  Problems problems = problems_of_matrices<MeanSquaredError>(dtype);
  for (const Reduce reduce : {Reduce::kSum, Reduce::kNone}) {
    for (const MatrixShape& s : {MatrixShape{1, 1}, {3, 7}, {33, 33}, {3, 4099}, {1171, 14}})
      problems.push_back(std::make_unique<MeanSquaredError>(dtype, s.rows, s.columns, reduce));
  }
  return problems;
}

}  // namespace

Ladder mean_squared_error_definition() {
  return define_op<MeanSquaredError, mean_squared_error_reference<float>,
                   mean_squared_error_reference<double>>(problems);
}

}  // namespace umbra

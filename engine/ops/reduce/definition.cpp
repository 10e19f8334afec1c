// The definitions of the reductions and the problems on which their rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/reference.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {

Ladder sum_definition() {
  return define_op<Sum, sum_reference<float>, sum_reference<double>>(problems_of_counts<Sum>);
}
Ladder sum_squares_definition() {
  return define_op<SumSquares, sum_squares_reference<float>, sum_squares_reference<double>>(
      problems_of_counts<SumSquares>);
}
Ladder count_nonfinite_definition() {
  return define_op<CountNonfinite, count_nonfinite_reference<float>, count_nonfinite_reference<double>>(
      problems_of_counts<CountNonfinite>);
}

}  // namespace umbra

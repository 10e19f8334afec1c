// The definitions of the two chi^2 losses and the problems on which their rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/loss/chi2_reference.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {

Ladder chi2_linear_definition() {
  return define_op<Chi2Linear, chi2_linear_reference<float>, chi2_linear_reference<double>>(
      problems_of_matrices<Chi2Linear>);
}
Ladder chi2_log_definition() {
  return define_op<Chi2Log, chi2_log_reference<float>, chi2_log_reference<double>>(
      [](DType dtype) { return problems_of_matrices<Chi2Log>(dtype, 0.125); });
}

}  // namespace umbra

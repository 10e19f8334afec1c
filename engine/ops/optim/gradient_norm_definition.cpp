// The definitions of gradient_norm and clip and the problems on which their rungs are tested and timed: one
// tensor and several; limits that no norm, some norms and every nonzero norm exceed.
#include "engine/ops/kernel.h"
#include "engine/ops/optim/gradient_norm_reference.h"
#include "engine/ops/optim/tensor_list_problems.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {
namespace {

Problems norm_problems(DType dtype) {
  Problems list = problems_of_counts<GradientNorm>(dtype, 1.0);
  for (const double max_norm : {0.0, 1e-3, 100.0}) {
    for (const std::vector<std::int64_t>& counts : tensor_counts())
      list.push_back(std::make_unique<GradientNorm>(dtype, tensor_list_of(counts), max_norm));
  }
  return list;
}

Problems clip_problems(DType dtype) {
  Problems list = problems_of_counts<Clip>(dtype);
  for (const std::vector<std::int64_t>& counts : tensor_counts())
    list.push_back(std::make_unique<Clip>(dtype, tensor_list_of(counts)));
  return list;
}

}  // namespace

Ladder gradient_norm_definition() {
  return define_op<GradientNorm, gradient_norm_reference<float>, gradient_norm_reference<double>>(
      norm_problems);
}
Ladder clip_definition() {
  return define_op<Clip, clip_reference<float>, clip_reference<double>>(clip_problems);
}

}  // namespace umbra

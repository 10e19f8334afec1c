// The definition of sgd_step and the problems on which its rungs are tested and timed: with and without
// momentum, decay and gradient; one tensor and several; with and without bf16 copies; with dampening and with
// Nesterov's momentum.
#include "engine/ops/kernel.h"
#include "engine/ops/optim/sgd_reference.h"
#include "engine/ops/optim/tensor_list_problems.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {
namespace {

Problems problems(DType dtype) {
  Problems list = problems_of_counts<SgdStep>(dtype, 0.9, 0.01);
  for (std::int64_t count : {33, 16411}) {
    list.push_back(std::make_unique<SgdStep>(dtype, count, 0.0, 0.0));
    list.push_back(std::make_unique<SgdStep>(dtype, count, 0.0, 0.01));
    list.push_back(std::make_unique<SgdStep>(dtype, count, 0.9, 0.0));
    list.push_back(std::make_unique<SgdStep>(dtype, count, 0.9, 0.01, true));
    list.push_back(std::make_unique<SgdStep>(dtype, count, 0.0, 0.01, true));
  }
  for (const std::int64_t count : {1, 2047, 8193})
    list.push_back(std::make_unique<SgdStep>(dtype, count, 0.9, 0.01, false, true));
  for (const double momentum : {0.0, 0.9}) {
    for (const std::vector<std::int64_t>& counts : tensor_counts()) {
      list.push_back(std::make_unique<SgdStep>(dtype, tensor_list_of(counts, true), momentum, 0.01));
      if (counts.empty()) continue;
      list.push_back(std::make_unique<SgdStep>(dtype, tensor_list_of(counts, true, true), momentum, 0.01));
    }
  }
  for (const bool nesterov : {false, true}) {
    const SgdRule rule{0.9, 0.01, !nesterov, nesterov};
    for (const std::int64_t count : {1, 33, 16411})
      list.push_back(std::make_unique<SgdStep>(dtype, TensorList{{count}}, rule));
    for (const std::vector<std::int64_t>& counts : tensor_counts()) {
      TensorList tensors = tensor_list_of(counts, true, true);
      for (std::size_t k = 0; k < tensors.size(); ++k)  // some have the same, and unused ones are between
        tensors[k].share_at = static_cast<std::int64_t>(2 + k / 2 * 3);
      list.push_back(std::make_unique<SgdStep>(dtype, std::move(tensors), rule));
    }
  }
  return list;
}

}  // namespace

Ladder sgd_step_definition() {
  return define_op<SgdStep, sgd_step_reference<float>, sgd_step_reference<double>>(problems);
}

}  // namespace umbra

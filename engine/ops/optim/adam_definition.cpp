// The definition of adam_step and the problems on which its rungs are tested and timed: Adam, Adam with
// decay, AdamW, and all three without a gradient; one tensor and several; with and without bf16 copies.
#include "engine/ops/kernel.h"
#include "engine/ops/optim/adam_reference.h"
#include "engine/ops/optim/tensor_list_problems.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {
namespace {

Problems problems(DType dtype) {
  Problems list = problems_of_counts<AdamStep>(dtype, 0.9, 0.999, 1e-8, 0.0, false);
  for (std::int64_t count : {33, 16411}) {
    for (const bool absent : {false, true}) {
      list.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, false, absent));
      list.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, true, absent));
    }
    list.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.0, false, true));
  }
  for (std::int64_t count : {1, 2047, 8193}) {
    list.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.0, false, false, true));
    list.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, true, true, true));
  }
  for (const AdamRule& rule : {AdamRule{0.9, 0.999, 1e-8, 0, false}, {0.9, 0.999, 1e-8, 0.01, false}}) {
    const bool absent = rule.weight_decay != 0;
    for (const std::vector<std::int64_t>& counts : tensor_counts()) {
      list.push_back(std::make_unique<AdamStep>(dtype, tensor_list_of(counts, absent), rule));
      if (counts.empty()) continue;
      list.push_back(std::make_unique<AdamStep>(dtype, tensor_list_of(counts, absent, true), rule));
    }
  }
  return list;
}

}  // namespace

Ladder adam_step_definition() {
  return define_op<AdamStep, adam_step_reference<float>, adam_step_reference<double>>(problems);
}

}  // namespace umbra

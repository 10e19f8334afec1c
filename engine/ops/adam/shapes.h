// The problems on which the rungs of Adam are tested and timed: Adam, Adam with decay, AdamW, and
// all three without a gradient.
#pragma once

#include "engine/ops/adam/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems adam_step_problems(DType dtype) {
  Problems problems = problems_of_counts<AdamStep>(dtype, 0.9, 0.999, 1e-8, 0.0, false);
  for (std::int64_t count : {33, 16411}) {
    problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, false));
    problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, true));
    problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.0, false, true));
    problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, false, true));
    problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, true, true));
  }
  return problems;
}

}  // namespace umbra

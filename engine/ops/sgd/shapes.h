// The problems on which the rungs of SGD are tested and timed: with and without momentum, decay and gradient.
#pragma once

#include "engine/ops/sgd/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems sgd_step_problems(DType dtype) {
  Problems problems = problems_of_counts<SgdStep>(dtype, 0.9, 0.01);
  for (std::int64_t count : {33, 16411}) {
    problems.push_back(std::make_unique<SgdStep>(dtype, count, 0.0, 0.0));
    problems.push_back(std::make_unique<SgdStep>(dtype, count, 0.0, 0.01));
    problems.push_back(std::make_unique<SgdStep>(dtype, count, 0.9, 0.0));
    problems.push_back(std::make_unique<SgdStep>(dtype, count, 0.9, 0.01, true));
    problems.push_back(std::make_unique<SgdStep>(dtype, count, 0.0, 0.01, true));
  }
  return problems;
}

}  // namespace umbra

// The problems on which the rungs of SGD are tested and timed: with and without momentum, decay and gradient;
// one tensor and several; with and without images.
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
  for (const std::int64_t count : {1, 2047, 8193})
    problems.push_back(std::make_unique<SgdStep>(dtype, count, 0.9, 0.01, false, true));
  for (const double momentum : {0.0, 0.9}) {
    for (const std::vector<std::int64_t>& counts : part_lists()) {
      Parts parts, with_images;
      for (std::int64_t count : counts) {
        parts.push_back({count, parts.size() % 3 == 1});
        with_images.push_back({count, parts.back().gradient_absent, parts.size() % 2 == 1});
      }
      problems.push_back(std::make_unique<SgdStep>(dtype, parts, momentum, 0.01));
      if (!counts.empty()) problems.push_back(std::make_unique<SgdStep>(dtype, with_images, momentum, 0.01));
    }
  }
  return problems;
}

}  // namespace umbra

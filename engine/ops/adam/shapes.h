// The problems on which the rungs of Adam are tested and timed: Adam, Adam with decay, AdamW, and all three
// without a gradient; one tensor and several; with and without images.
#pragma once

#include "engine/ops/adam/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems adam_step_problems(DType dtype) {
  Problems problems = problems_of_counts<AdamStep>(dtype, 0.9, 0.999, 1e-8, 0.0, false);
  for (std::int64_t count : {33, 16411}) {
    for (const bool absent : {false, true}) {
      problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, false, absent));
      problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, true, absent));
    }
    problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.0, false, true));
  }
  for (std::int64_t count : {1, 2047, 8193}) {
    problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.0, false, false, true));
    problems.push_back(std::make_unique<AdamStep>(dtype, count, 0.9, 0.999, 1e-8, 0.01, true, true, true));
  }
  for (const AdamRule& rule : {AdamRule{0.9, 0.999, 1e-8, 0, false}, {0.9, 0.999, 1e-8, 0.01, false}}) {
    for (const std::vector<std::int64_t>& counts : part_lists()) {
      Parts parts, with_images;
      for (std::int64_t count : counts) {
        parts.push_back({count, rule.weight_decay != 0 && parts.size() % 3 == 1});
        with_images.push_back({count, parts.back().gradient_absent, parts.size() % 2 == 1});
      }
      problems.push_back(std::make_unique<AdamStep>(dtype, parts, rule));
      if (!counts.empty()) problems.push_back(std::make_unique<AdamStep>(dtype, with_images, rule));
    }
  }
  return problems;
}

}  // namespace umbra

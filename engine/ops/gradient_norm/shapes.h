// The problems on which the rungs of gradient_norm and clip are tested and timed: one tensor and several;
// limits that no norm, some norms and every norm but 0 exceeds.
#pragma once

#include "engine/ops/gradient_norm/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems gradient_norm_problems(DType dtype) {
  Problems problems = problems_of_counts<GradientNorm>(dtype, 1.0);
  for (const double max_norm : {0.0, 1e-3, 100.0}) {
    for (const std::vector<std::int64_t>& counts : part_lists()) {
      Parts parts;
      for (std::int64_t count : counts) parts.push_back({count});
      problems.push_back(std::make_unique<GradientNorm>(dtype, parts, max_norm));
    }
  }
  return problems;
}

inline Problems clip_problems(DType dtype) {
  Problems problems = problems_of_counts<Clip>(dtype);
  for (const std::vector<std::int64_t>& counts : part_lists()) {
    Parts parts;
    for (std::int64_t count : counts) parts.push_back({count});
    problems.push_back(std::make_unique<Clip>(dtype, parts));
  }
  return problems;
}

}  // namespace umbra

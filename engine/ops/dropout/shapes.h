// The problems on which the rungs of dropout are tested and timed; p = 0 keeps and p = 1 drops everything.
#pragma once

#include "engine/ops/dropout/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems dropout_problems(DType dtype) {
  constexpr std::uint64_t kSeed = 2018, kLayer = 7;
  Problems problems = problems_of_counts<Dropout>(dtype, 0.3, kSeed, kLayer);
  for (double p : {0.0, 0.5, 0.999, 1.0}) {
    problems.push_back(std::make_unique<Dropout>(dtype, 16411, p, kSeed, std::uint64_t{255}));
  }
  return problems;
}

}  // namespace umbra

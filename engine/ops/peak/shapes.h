#pragma once

#include "engine/ops/peak/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline Problems peak_fma_problems(DType dtype) {
  Problems problems;
  for (const auto& [count, rounds] :
       {std::pair{1, 1}, {17, 0}, {33, 5}, {1009, 31}, {16411, 2}, {64, 1000}}) {
    problems.push_back(std::make_unique<PeakFma>(dtype, count, rounds));
  }
  return problems;
}

inline Problems peak_copy_problems(DType dtype) {
  return problems_of_counts<PeakCopy>(dtype);
}

}  // namespace umbra

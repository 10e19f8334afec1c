// Problems on which every rung of the fully connected layer is tested and timed: the head of the UM ResNet
// (4 C -> 320 -> 80 -> 14), ResNet18's classifier, and ones, primes, and tiles or vectors plus or minus one.
#pragma once

#include "engine/ops/linear/op.h"

namespace umbra {

template <class O>
Problems linear_problems(DType dtype) {
  struct Shape3 {
    std::int64_t rows, in, out;
  };
  static constexpr Shape3 kShapes[] = {
      {32, 80, 320},
      {32, 400, 320},
      {32, 800, 320},
      {32, 320, 80},
      {32, 80, 14},
      {5, 16, 320},
      {8, 512, 10},
      {1, 1, 1},
      {1, 13, 1},
      {7, 1, 3},
      {1, 7, 31},
      {2, 3, 5},
      {31, 17, 11},
      {33, 15, 16},
      {4, 4, 4},
      {12, 16, 32},
      {13, 31, 33},
      {11, 33, 31},
      {3, 128, 127},
      {65, 2, 97},
      {97, 101, 103},
      {200, 129, 64},
      {320, 30, 900},
      {12, 3001, 5},
      // Just enough outputs for each of a GPU's larger tiles: in fprop, in dgrad, in wgrad.
      {65, 1, 7105},
      {65, 1, 14212},
      {2, 1, 14341},
      {65, 7105, 1},
      {65, 14212, 1},
      {2, 14341, 1},
      {1, 7105, 65},
      {1, 14212, 65},
      {1, 14341, 2},
  };
  Problems problems;
  for (const Shape3& s : kShapes) {
    for (const bool bias : {true, false})
      problems.push_back(std::make_unique<O>(dtype, s.rows, s.in, s.out, bias));
  }
  return problems;
}

inline Problems linear_fprop_problems(DType dtype) {
  return linear_problems<LinearFprop>(dtype);
}
inline Problems linear_dgrad_problems(DType dtype) {
  return linear_problems<LinearDgrad>(dtype);
}
inline Problems linear_wgrad_problems(DType dtype) {
  return linear_problems<LinearWgrad>(dtype);
}

}  // namespace umbra

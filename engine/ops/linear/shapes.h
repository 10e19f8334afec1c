// Problems on which every rung of the fully connected layer is tested and timed: the head of the UM ResNet
// (4 C -> 320 -> 80 -> 14), ResNet18's classifier, and ones, primes, and tiles or vectors plus or minus one.
#pragma once

#include "engine/ops/linear/op.h"

namespace umbra {

struct LinearShape {
  std::int64_t rows, in, out;
};

/// With rounded operands: tiles of 8, 16, 32, 64 minus and plus some in every role, sums that end within a
/// step of an instruction.
inline constexpr LinearShape kRoundedLinear[] = {
    {32, 80, 320},
    {32, 400, 320},
    {32, 320, 80},
    {32, 80, 14},
    {5, 16, 320},
    {8, 512, 10},
    {1, 1, 1},
    {1, 13, 1},
    {7, 1, 3},
    {1, 7, 31},
    {31, 17, 11},
    {33, 15, 16},
    {13, 31, 33},
    {3, 128, 127},
    {65, 2, 97},
    {97, 101, 103},
    {33, 200, 65},
    {64, 24, 100},
    {5, 65, 40},
    {17, 64, 20},
    {200, 129, 64},
    {12, 3001, 5},
    // Just enough outputs for each of a GPU's larger tiles, in one pass or two each.
    {65, 1, 14212},
    {65, 14212, 1},
    {1, 14212, 65},
    {1, 65, 14212},
    {14341, 3, 2},
};

template <class O>
Problems linear_problems(DType dtype) {
  static constexpr LinearShape kShapes[] = {
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
  for (const LinearShape& s : kShapes) {
    for (const bool bias : {true, false})
      problems.push_back(std::make_unique<O>(dtype, s.rows, s.in, s.out, bias));
  }
  const auto add_rounded = [&](const auto&... precision) {
    bool bias = true;
    for (const LinearShape& s : kRoundedLinear) {
      problems.push_back(std::make_unique<O>(dtype, s.rows, s.in, s.out, bias, precision...));
      bias = !bias;
    }
  };
  add_rounded(Precision::kTf32);
  add_rounded(Precision::kBf16);
  if constexpr (!std::is_same_v<O, LinearWgrad>) add_rounded(Precision::kBf16, DType::kBf16);
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

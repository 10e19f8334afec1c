// The problems of the three passes: the shared convolutions in fp32, and more with precision bf16.
#pragma once

#include <vector>

#include "engine/ops/conv/op.h"
#include "engine/ops/conv_shapes.h"

namespace umbra {

/// For precision bf16 besides: odd sums, blocks of weights cut along every axis, vectors of 16 and of 4
/// lanes.
inline std::vector<ConvGeometry> bf16_convolutions() {
  std::vector<ConvGeometry> list{
      conv_on_square(2, 3, 16, 32, 7, 2, 3),
      conv_on_square(2, 64, 64, 14, 3, 1, 1),
      conv_on_square(3, 5, 7, 9, 5, 3, 2),
      conv_on_cube(1, 1, 1, 1, 1, 1, 0),
      conv_on_cube(1, 1, 1, 1, 3, 1, 3),
      conv_on_cube(3, 2, 5, 1, 1, 2, 1),
      conv_on_cube(5, 3, 2, 3, 2, 3, 3),
      conv_on_cube(7, 13, 3, 3, 5, 1, 2),
      conv_on_cube(2, 101, 100, 2, 3, 1, 1),    // 51 pairs, the last of one channel
      conv_on_cube(33, 130, 141, 2, 3, 1, 1),   // groups of taps
      conv_on_square(3, 2051, 25, 1, 1, 1, 0),  // more channels than a block of weights has steps
      conv_on_square(3, 25, 2051, 1, 1, 1, 0),
      conv_on_square(9, 5, 33, 32, 3, 1, 1),  // positions in parts
      {4, 3, 5, {2, 5, 3}, {1, 3, 2}, {1, 2, 3}, {0, 2, 1}},
      {2, 4, 9, {3, 4, 5}, {2, 3, 1}, {3, 1, 2}, {1, 0, 3}},
  };
  for (const std::int64_t n : {4, 7, 11, 12, 13, 15, 16, 17, 31, 33, 49}) {
    list.push_back(conv_on_cube(n, 3, 4, 2, 3, 1, 1));
    list.push_back(conv_on_cube(2, n, 3, 2, 2, 1, 1));
    list.push_back(conv_on_cube(3, 2, n, 2, 2, 2, 1));
  }
  for (const ConvGeometry& g : um_resnet_convolutions(5, 4)) list.push_back(g);
  for (const ConvGeometry& g : um_resnet_convolutions(32, 20)) list.push_back(g);
  return list;
}

template <class O>
Problems conv_problems(DType dtype) {
  Problems problems;
  const auto add = [&](const std::vector<ConvGeometry>& list, Precision precision) {
    for (const ConvGeometry& g : list) problems.push_back(std::make_unique<O>(dtype, g, precision));
  };
  add(nasty_convolutions(), Precision::kF32);
  add(um_resnet_convolutions(5, 4), Precision::kF32);
  add(um_resnet_convolutions(32, 20), Precision::kF32);
  add(bf16_convolutions(), Precision::kBf16);
  return problems;
}

inline Problems conv_fprop_problems(DType dtype) {
  return conv_problems<ConvFprop>(dtype);
}
inline Problems conv_dgrad_problems(DType dtype) {
  return conv_problems<ConvDgrad>(dtype);
}
inline Problems conv_wgrad_problems(DType dtype) {
  return conv_problems<ConvWgrad>(dtype);
}

}  // namespace umbra

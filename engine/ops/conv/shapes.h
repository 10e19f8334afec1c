// The problems of the three passes: the shared convolutions in fp32, and others with rounded operands and
// with an image of the weights.
#pragma once

#include <vector>

#include "engine/ops/conv/op.h"
#include "engine/ops/conv_shapes.h"

namespace umbra {

template <class O>
Problems conv_problems(DType dtype) {
  Problems problems;
  const auto add = [&](const std::vector<ConvGeometry>& list, Precision precision) {
    for (const ConvGeometry& g : list) problems.push_back(std::make_unique<O>(dtype, g, precision));
  };
  const auto add_images = [&](const std::vector<ConvGeometry>& list) {
    if constexpr (!std::is_same_v<O, ConvWgrad>) {
      for (const ConvGeometry& g : list)
        problems.push_back(std::make_unique<O>(dtype, g, Precision::kBf16, DType::kBf16));
    }
  };
  add(nasty_convolutions(), Precision::kF32);
  add(um_resnet_convolutions(5, 4), Precision::kF32);
  add(um_resnet_convolutions(32, 20), Precision::kF32);
  add(bf16_convolutions(), Precision::kBf16);
  add(um_resnet_convolutions(5, 4), Precision::kBf16);
  add(um_resnet_convolutions(32, 20), Precision::kBf16);
  add(tensor_core_convolutions(), Precision::kBf16);
  add_images(tensor_core_convolutions());
  add_images(um_resnet_convolutions(5, 4));
  add_images(um_resnet_convolutions(32, 20));
  add(tensor_core_convolutions(), Precision::kTf32);
  add(um_resnet_convolutions(5, 4), Precision::kTf32);
  add(um_resnet_convolutions(32, 20), Precision::kTf32);
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

// The problems on which the rungs of conv_inference are tested and timed: the convolutions every rung of conv
// has to take, each in one of the four combinations of ReLU and residual, and the network's own in all that
// it uses.
#pragma once

#include "engine/ops/conv_inference/op.h"
#include "engine/ops/conv_shapes.h"

namespace umbra {

inline Problems conv_inference_problems(DType dtype) {
  Problems problems;
  const std::pair<Precision, DType> kinds[] = {{Precision::kF32, dtype},
                                               {Precision::kBf16, dtype},
                                               {Precision::kBf16, DType::kBf16},
                                               {Precision::kTf32, dtype}};
  for (const auto& [precision, weights] : kinds) {
    const auto add = [&](const ConvGeometry& g, bool relu, bool residual) {
      problems.push_back(std::make_unique<ConvInference>(dtype, g, 1e-5, relu, residual, precision, weights));
    };
    unsigned kind = 0;
    const auto add_each = [&](const std::vector<ConvGeometry>& list) {
      for (const ConvGeometry& g : list) {
        add(g, (kind & 1U) != 0, (kind & 2U) != 0);
        ++kind;
      }
    };
    if (precision == Precision::kF32) add_each(nasty_convolutions());
    if (precision == Precision::kBf16) add_each(bf16_convolutions());
    if (precision != Precision::kF32) add_each(tensor_core_convolutions());
    for (const ConvGeometry& g : um_resnet_convolutions(5, 4)) {
      for (unsigned all = 0; all < 4; ++all) add(g, (all & 1U) != 0, (all & 2U) != 0);
    }
    for (const ConvGeometry& g : um_resnet_convolutions(32, 20)) {
      if (g.kernel[2] == 1) add(g, false, false);
      if (g.kernel[2] == 1) continue;  // downsampling
      add(g, true, false);
      if (g.stride[2] == 1) add(g, true, true);
    }
  }
  return problems;
}

}  // namespace umbra

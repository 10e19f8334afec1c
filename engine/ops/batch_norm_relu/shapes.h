// The problems on which the rungs of batch_norm_relu are tested and timed: batch-last layers of the network
// at 20 and 200 channels, the rows of the head (and more of them than one range of a CUDA rung takes), a
// layer of ResNet-18, and the nasty shapes of all channel ops; with a residual and without.
#pragma once

#include "engine/ops/batch_norm_relu/op.h"
#include "engine/ops/shape_lists.h"

namespace umbra {

inline constexpr ChannelShape kBatchNormReluShapes[] = {
    {64, 20, 32}, {64, 200, 32}, {8, 400, 32}, {1, 800, 32}, {32, 320, 1}, {256, 64, 64}, {64, 3, 1000},
    {9, 21, 5},   {7, 40, 16},   {3, 130, 48}, {16, 5, 200}, {5, 66, 1},   {300, 33, 1}};

template <class O, class... More>
Problems problems_of_batch_norm_relu(DType dtype, const More&... more) {
  Problems problems;
  const auto add = [&](const ChannelShape& s, bool residual) {
    problems.push_back(std::make_unique<O>(dtype, s.batch, s.channels, s.volume, more..., residual));
  };
  for (const ChannelShape& s : kBatchNormReluShapes) {
    add(s, false);
    add(s, true);
  }
  bool residual = false;  // every other one, as the cases differ in nothing else
  for (const ChannelShape& s : kChannelShapes) add(s, residual = !residual);
  return problems;
}

inline Problems batch_norm_relu_forward_problems(DType dtype) {
  return problems_of_batch_norm_relu<BatchNormReluForward>(dtype, 1e-5, 0.1);
}
inline Problems batch_norm_relu_inference_problems(DType dtype) {
  return problems_of_batch_norm_relu<BatchNormReluInference>(dtype, 1e-5);
}
inline Problems batch_norm_relu_backward_problems(DType dtype) {
  return problems_of_batch_norm_relu<BatchNormReluBackward>(dtype);
}

}  // namespace umbra

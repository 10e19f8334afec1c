// The definitions of batch normalisation and the problems on which its rungs are tested and timed.
#include "engine/ops/batch_norm/reference.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {
namespace {

// Batch-last layers of the network at 20 and 200 channels, the rows of the head (and more rows than fit
// into one range of a CUDA rung), a layer of ResNet-18, and irregular shapes.
constexpr ChannelShape kWithRelu[] = {{64, 20, 32},  {64, 200, 32}, {8, 400, 32}, {1, 800, 32}, {32, 320, 1},
                                      {256, 64, 64}, {64, 3, 1000}, {9, 21, 5},   {7, 40, 16},  {3, 130, 48},
                                      {16, 5, 200},  {5, 66, 1},    {300, 33, 1}};
constexpr ChannelShape kResidualAlone[] = {{64, 20, 32}, {64, 3, 1000}, {9, 21, 5}, {5, 66, 1}, {300, 33, 1}};

/// `more` are the constructor's arguments between the view and the options.
template <class O, class... More>
Problems problems_of(DType dtype, const More&... more) {
  Problems problems = problems_of_channels<O>(dtype, more...);
  const auto add = [&](const ChannelShape& s, BatchNormOptions options) {
    problems.push_back(std::make_unique<O>(dtype, s.batch, s.channels, s.volume, more..., options));
  };
  for (const ChannelShape& s : kWithRelu) {
    add(s, {.relu = true});
    add(s, {.relu = true, .residual = true});
  }
  bool residual = false;  // alternates, as the cases differ in nothing else
  for (const ChannelShape& s : kChannelShapes) {
    residual = !residual;
    add(s, {.relu = true, .residual = residual});
  }
  for (const ChannelShape& s : kResidualAlone) add(s, {.residual = true});
  return problems;
}

}  // namespace

Ladder batch_norm_forward_definition() {
  return define_op<BatchNormForward, batch_norm_forward_reference<float>,
                   batch_norm_forward_reference<double>, needs_two_values>(
      [](DType dtype) { return problems_of<BatchNormForward>(dtype, 1e-5, 0.1); });
}
Ladder batch_norm_inference_definition() {
  return define_op<BatchNormInference, batch_norm_inference_reference<float>,
                   batch_norm_inference_reference<double>>(
      [](DType dtype) { return problems_of<BatchNormInference>(dtype, 1e-5); });
}
Ladder batch_norm_backward_definition() {
  return define_op<BatchNormBackward, batch_norm_backward_reference<float>,
                   batch_norm_backward_reference<double>, needs_a_value>(
      [](DType dtype) { return problems_of<BatchNormBackward>(dtype); });
}
Ladder batch_norm_frozen_backward_definition() {
  return define_op<BatchNormFrozenBackward, batch_norm_frozen_backward_reference<float>,
                   batch_norm_frozen_backward_reference<double>>(
      [](DType dtype) { return problems_of<BatchNormFrozenBackward>(dtype, 1e-5); });
}

}  // namespace umbra

// The definitions of the three passes of a convolution and of its inference: their references, and the
// problems on which every rung is tested and timed.
#include <type_traits>

#include "engine/ops/conv/inference_reference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/problems.h"
#include "engine/ops/shared/rounding.h"

namespace umbra {
namespace {

template <class T>
void fprop_reference(const ConvFprop& op, Buffers b, void*, Stream&) {  // x, w -> y
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) {
      conv_fprop_reference(op.geometry, b.in<T>(0), w, b.out<T>(2), rounded);
    });
  });
}
template <class T>
void dgrad_reference(const ConvDgrad& op, Buffers b, void*, Stream&) {  // dy, w -> dx, addend
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) {
      conv_dgrad_reference(op.geometry, b.in<T>(0), w, b.out<T>(2), rounded);
    });
  });
  if (!op.addend) return;
  const std::int64_t count = op.buffers()[2].count;
  for (std::int64_t i = 0; i < count; ++i) b.out<T>(2)[i] += b.in<T>(3)[i];
}
template <class T>
void wgrad_reference(const ConvWgrad& op, Buffers b, void*, Stream&) {  // x, dy -> dw
  with_rounding(op.precision, [&](const auto& rounded) {
    conv_wgrad_reference(op.geometry, b.in<T>(0), b.in<T>(1), b.out<T>(2), rounded);
  });
}

// The shared convolutions in fp32, others with rounded operands and with weights stored as bfloat16; those
// with dilation and groups in all of these.
template <class O>
Problems pass_problems(DType dtype) {
  Problems problems;
  const auto add = [&](const std::vector<ConvGeometry>& list, Precision precision) {
    for (const ConvGeometry& g : list) problems.push_back(std::make_unique<O>(dtype, g, precision));
  };
  const auto add_bf16_weights = [&](const std::vector<ConvGeometry>& list) {
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
  add_bf16_weights(tensor_core_convolutions());
  add_bf16_weights(um_resnet_convolutions(5, 4));
  add_bf16_weights(um_resnet_convolutions(32, 20));
  add(tensor_core_convolutions(), Precision::kTf32);
  add(um_resnet_convolutions(5, 4), Precision::kTf32);
  add(um_resnet_convolutions(32, 20), Precision::kTf32);
  for (const Precision precision : kPrecisions) add(dilated_and_grouped_convolutions(), precision);
  add_bf16_weights(dilated_and_grouped_convolutions());
  return problems;
}

// Also the network's small convolutions added to another gradient, with weights of either type.
Problems dgrad_problems(DType dtype) {
  Problems problems = pass_problems<ConvDgrad>(dtype);
  const auto add = [&](Precision precision, DType weights) {
    for (const ConvGeometry& g : um_resnet_convolutions(5, 4)) {
      auto op = std::make_unique<ConvDgrad>(dtype, g, precision, weights);
      op->addend = true;
      problems.push_back(std::move(op));
    }
  };
  for (const Precision precision : kPrecisions) add(precision, dtype);
  add(Precision::kBf16, DType::kBf16);
  return problems;
}

// The convolutions that every rung must support, each in one of the four combinations of ReLU and residual,
// and the network's own in all combinations that it uses.
Problems inference_problems(DType dtype) {
  Problems problems;
  struct Operands {
    Precision precision;
    DType weights;
  };
  const Operands kinds[] = {{Precision::kF32, dtype},
                            {Precision::kBf16, dtype},
                            {Precision::kBf16, DType::kBf16},
                            {Precision::kTf32, dtype}};
  for (const Operands operands : kinds) {
    const Precision precision = operands.precision;
    const auto add = [&](const ConvGeometry& g, bool relu, bool residual) {
      problems.push_back(
          std::make_unique<ConvInference>(dtype, g, 1e-5, relu, residual, precision, operands.weights));
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
  for (const Operands operands : kinds) {
    unsigned kind = 0;
    for (const ConvGeometry& g : dilated_and_grouped_convolutions()) {
      const bool relu = (kind & 1U) != 0, residual = (kind & 2U) != 0;
      ++kind;
      problems.push_back(std::make_unique<ConvInference>(dtype, g, 1e-5, relu, residual, operands.precision,
                                                         operands.weights));
    }
  }
  return problems;
}

}  // namespace

Ladder conv_fprop_definition() {
  return define_op<ConvFprop, fprop_reference<float>, fprop_reference<double>>(pass_problems<ConvFprop>);
}
Ladder conv_dgrad_definition() {
  return define_op<ConvDgrad, dgrad_reference<float>, dgrad_reference<double>>(dgrad_problems);
}
Ladder conv_wgrad_definition() {
  return define_op<ConvWgrad, wgrad_reference<float>, wgrad_reference<double>>(pass_problems<ConvWgrad>);
}
Ladder conv_inference_definition() {
  return define_op<ConvInference, conv_inference_reference<float>, conv_inference_reference<double>>(
      inference_problems);
}

}  // namespace umbra

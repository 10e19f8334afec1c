// The convolution's ladder: references first, then the fast rungs; the last that does not decline is chosen.
#include "engine/ops/conv/table.h"

#include "engine/ops/conv/reference.h"
#include "engine/ops/conv/rungs.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/rounding.h"

namespace umbra {
namespace {

template <class T>
void fprop_reference(const ConvFprop& op, Buffers b, void*, Stream&) {
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) {
      conv_fprop_reference(op.geometry, static_cast<const T*>(b[0]), w, static_cast<T*>(b[2]), rounded);
    });
  });
}
template <class T>
void dgrad_reference(const ConvDgrad& op, Buffers b, void*, Stream&) {
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) {
      conv_dgrad_reference(op.geometry, static_cast<const T*>(b[0]), w, static_cast<T*>(b[2]), rounded);
    });
  });
}
template <class T>
void wgrad_reference(const ConvWgrad& op, Buffers b, void*, Stream&) {
  with_rounding(op.precision, [&](const auto& rounded) {
    conv_wgrad_reference(op.geometry, static_cast<const T*>(b[0]), static_cast<const T*>(b[1]),
                         static_cast<T*>(b[2]), rounded);
  });
}

// Both references of one op, then its fast rungs.
template <class O, auto F32, auto F64>
std::vector<Kernel> ladder(std::string_view op, std::vector<Kernel> fast) {
  std::vector<Kernel> kernels{make_kernel<O, F32>(op, "reference", DType::kF32),
                              make_kernel<O, F64>(op, "reference", DType::kF64)};
  kernels.insert(kernels.end(), fast.begin(), fast.end());
  return kernels;
}

}  // namespace

std::vector<OpFamily> conv_families() {
  return {
      {"conv_fprop",
       ladder<ConvFprop, fprop_reference<float>, fprop_reference<double>>(
           "conv_fprop", {conv_fprop_cpu_1_lanes(), conv_fprop_cpu_2_tiles(), conv_fprop_cpu_3_rounded(),
                          conv_fprop_cpu_4_bf16()}),
       conv_fprop_problems},
      {"conv_dgrad",
       ladder<ConvDgrad, dgrad_reference<float>, dgrad_reference<double>>(
           "conv_dgrad", {conv_dgrad_cpu_1_lanes(), conv_dgrad_cpu_2_tiles(), conv_dgrad_cpu_3_rounded(),
                          conv_dgrad_cpu_4_bf16()}),
       conv_dgrad_problems},
      {"conv_wgrad",
       ladder<ConvWgrad, wgrad_reference<float>, wgrad_reference<double>>(
           "conv_wgrad", {conv_wgrad_cpu_1_lanes(), conv_wgrad_cpu_2_tiles(), conv_wgrad_cpu_3_few_inputs(),
                          conv_wgrad_cpu_3_rounded(), conv_wgrad_cpu_4_bf16()}),
       conv_wgrad_problems},
  };
}

}  // namespace umbra

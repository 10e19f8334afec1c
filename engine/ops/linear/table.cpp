// The fully connected layer's ladder: references first, then the fast rungs.
#include "engine/ops/linear/table.h"

#include "engine/ops/linear/reference.h"
#include "engine/ops/linear/rungs.h"
#include "engine/ops/linear/shapes.h"

namespace umbra {
namespace {

template <class T>
void fprop_reference(const LinearFprop& op, Buffers b, void*, Stream&) {
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) {
      linear_fprop_reference(op.rows, op.in, op.out, static_cast<const T*>(b[0]), w,
                             op.bias ? static_cast<const T*>(b[2]) : nullptr, static_cast<T*>(b[3]), rounded);
    });
  });
}
template <class T>
void dgrad_reference(const LinearDgrad& op, Buffers b, void*, Stream&) {
  with_rounding(op.precision, [&](const auto& rounded) {
    with_weights<T>(op.weights, b[1], [&](const auto* w) {
      linear_dgrad_reference(op.rows, op.in, op.out, static_cast<const T*>(b[0]), w, static_cast<T*>(b[2]),
                             rounded);
    });
  });
}
template <class T>
void wgrad_reference(const LinearWgrad& op, Buffers b, void*, Stream&) {
  with_rounding(op.precision, [&](const auto& rounded) {
    linear_wgrad_reference(op.rows, op.in, op.out, static_cast<const T*>(b[0]), static_cast<const T*>(b[1]),
                           static_cast<T*>(b[2]), op.bias ? static_cast<T*>(b[3]) : nullptr, rounded);
  });
}

}  // namespace

std::vector<OpFamily> linear_families() {
  return {
      {"linear_fprop",
       {make_kernel<LinearFprop, fprop_reference<float>>("linear_fprop", "reference", DType::kF32),
        make_kernel<LinearFprop, fprop_reference<double>>("linear_fprop", "reference", DType::kF64),
        linear_fprop_cpu_1_gemm(), linear_fprop_cpu_2_rounded()},
       linear_fprop_problems},
      {"linear_dgrad",
       {make_kernel<LinearDgrad, dgrad_reference<float>>("linear_dgrad", "reference", DType::kF32),
        make_kernel<LinearDgrad, dgrad_reference<double>>("linear_dgrad", "reference", DType::kF64),
        linear_dgrad_cpu_1_gemm(), linear_dgrad_cpu_2_rounded()},
       linear_dgrad_problems},
      {"linear_wgrad",
       {make_kernel<LinearWgrad, wgrad_reference<float>>("linear_wgrad", "reference", DType::kF32),
        make_kernel<LinearWgrad, wgrad_reference<double>>("linear_wgrad", "reference", DType::kF64),
        linear_wgrad_cpu_1_gemm(), linear_wgrad_cpu_2_rounded()},
       linear_wgrad_problems},
  };
}

}  // namespace umbra

// OpenBLAS as a rung of the fully connected layer (without bias: sgemm has none).
#include <cblas.h>

#include "bench/peers/peers.h"
#include "engine/ops/linear/op.h"
#include "engine/registry/registry.h"

namespace umbra {
namespace {

std::string needs_fp32(const LinearOp& op) {
  return op.precision == Precision::kF32 ? "" : "sgemm computes with precision fp32 only";
}
std::string needs_no_bias(const LinearOp& op) {
  return op.bias ? "sgemm adds no bias" : needs_fp32(op);
}

void fprop(const LinearFprop& op, Buffers b, void*, Stream&) {
  const auto n = static_cast<int>(op.rows), k = static_cast<int>(op.in), m = static_cast<int>(op.out);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, k, 1, static_cast<const float*>(b[0]), k,
              static_cast<const float*>(b[1]), k, 0, static_cast<float*>(b[3]), m);
}

void dgrad(const LinearDgrad& op, Buffers b, void*, Stream&) {
  const auto n = static_cast<int>(op.rows), k = static_cast<int>(op.in), m = static_cast<int>(op.out);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, k, m, 1, static_cast<const float*>(b[0]), m,
              static_cast<const float*>(b[1]), k, 0, static_cast<float*>(b[2]), k);
}

void wgrad(const LinearWgrad& op, Buffers b, void*, Stream&) {
  const auto n = static_cast<int>(op.rows), k = static_cast<int>(op.in), m = static_cast<int>(op.out);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, k, n, 1, static_cast<const float*>(b[1]), m,
              static_cast<const float*>(b[0]), k, 0, static_cast<float*>(b[2]), k);
}

}  // namespace

void register_openblas(Registry& registry) {
  registry.add({"linear_fprop",
                {make_kernel<LinearFprop, fprop, needs_no_bias>("linear_fprop", "openblas", DType::kF32)},
                nullptr});
  registry.add({"linear_dgrad",
                {make_kernel<LinearDgrad, dgrad, needs_fp32>("linear_dgrad", "openblas", DType::kF32)},
                nullptr});
  registry.add({"linear_wgrad",
                {make_kernel<LinearWgrad, wgrad, needs_no_bias>("linear_wgrad", "openblas", DType::kF32)},
                nullptr});
}

}  // namespace umbra

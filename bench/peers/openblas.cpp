// OpenBLAS as a rung of the fully connected layer (without bias: sgemm has none).
#include <cblas.h>

#include "bench/peers/peers.h"
#include "engine/ops/matmul/op.h"
#include "engine/registry/registry.h"

namespace umbra {
namespace {

std::string needs_fp32(const LinearOp& op) {
  return op.precision == Precision::kF32 ? "" : "sgemm supports only precision fp32";
}
std::string needs_no_bias(const LinearOp& op) {
  return op.bias ? "sgemm adds no bias" : needs_fp32(op);
}

void fprop(const LinearFprop& op, Buffers b, void*, Stream&) {
  const auto n = static_cast<int>(op.rows), k = static_cast<int>(op.in), m = static_cast<int>(op.out);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, k, 1, b.in(0), k, b.in(1), k, 0, b.out(3), m);
}

void dgrad(const LinearDgrad& op, Buffers b, void*, Stream&) {
  const auto n = static_cast<int>(op.rows), k = static_cast<int>(op.in), m = static_cast<int>(op.out);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, k, m, 1, b.in(0), m, b.in(1), k, 0, b.out(2), k);
}

void wgrad(const LinearWgrad& op, Buffers b, void*, Stream&) {
  const auto n = static_cast<int>(op.rows), k = static_cast<int>(op.in), m = static_cast<int>(op.out);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, k, n, 1, b.in(1), m, b.in(0), k, 0, b.out(2), k);
}

}  // namespace

void register_openblas(Registry& registry) {
  registry.add(make_kernel<LinearFprop, fprop, needs_no_bias>("openblas"));
  registry.add(make_kernel<LinearDgrad, dgrad, needs_fp32>("openblas"));
  registry.add(make_kernel<LinearWgrad, wgrad, needs_no_bias>("openblas"));
}

}  // namespace umbra

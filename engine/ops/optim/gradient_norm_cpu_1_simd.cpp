// The norm of all gradients: chunks of fixed size of every tensor in parallel, their sums of squares in
// double added in index order, first within each tensor and then over all; and clipping, one vector at a
// time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/optim/gradient_norm_cpu_1_simd.cpp"
#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/gradient_norm.h"
#include "engine/ops/optim/tensor_list_chunks.h"
#include "engine/ops/shared/simd_loops.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

double squares_range(const float* x, std::int64_t count) {
  WideSums<1> sums;
  sums.add(count, [&](auto dd, std::int64_t i, auto* acc) HWY_ATTR {
    const auto v = load_wide(dd, x + i);
    acc[0] = hn::MulAdd(v, v, acc[0]);
  });
  return sums.total(0);
}

void clip_range(float factor, float* x, std::int64_t count) {
  for_lanes<float>(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::Set(d, factor), hn::LoadU(d, x + i)), d, x + i);
  });
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(squares_range);
HWY_EXPORT(clip_range);

namespace {

std::int64_t chunks_of(const TensorList& tensors) {
  std::int64_t chunks = 0;
  for (const TensorSpec& tensor : tensors) chunks += chunk_count(tensor.count);
  return chunks;
}

std::size_t norm_workspace(const GradientNorm& op) {
  return static_cast<std::size_t>(chunks_of(op.tensors)) * sizeof(double);
}

void run_norm(const GradientNorm& op, Buffers buffers, void* workspace, Stream&) {
  double* const partial = static_cast<double*>(workspace);  // one per chunk
  parallel_for(chunks_of(op.tensors), [&](std::int64_t i) {
    std::size_t k = 0;
    std::int64_t chunk = i;  // of tensor k
    for (; chunk >= chunk_count(op.tensors[k].count); ++k) chunk -= chunk_count(op.tensors[k].count);
    const std::int64_t begin = chunk * kElementGrain, rest = op.tensors[k].count - begin;
    partial[i] = HWY_DYNAMIC_DISPATCH(squares_range)(buffers.in(k) + begin, std::min(rest, kElementGrain));
  });
  double sum = 0;
  std::int64_t at = 0;
  for (const TensorSpec& tensor : op.tensors) {
    double of_tensor = 0;
    for (std::int64_t c = 0; c < chunk_count(tensor.count); ++c) of_tensor += partial[at++];
    sum += of_tensor;
  }
  const double norm = std::sqrt(sum);
  *buffers.out<double>(op.tensors.size()) = norm;
  *buffers.out(op.tensors.size() + 1) = static_cast<float>(clip_factor(norm, op.max_norm));
}

void run_clip(const Clip& op, Buffers buffers, void*, Stream&) {
  const float factor = *buffers.last();
  if (factor == 1) return;
  parallel_tensors(op.tensors, [&](std::size_t k, std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(clip_range)(factor, buffers.out(k) + begin, end - begin);
  });
}

}  // namespace

Kernel gradient_norm_cpu_1_simd() {
  return make_kernel<GradientNorm, run_norm, nullptr, norm_workspace>();
}
Kernel clip_cpu_1_simd() {
  return make_kernel<Clip, run_clip>();
}

}  // namespace umbra
#endif

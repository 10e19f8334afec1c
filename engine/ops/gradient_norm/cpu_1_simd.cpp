// The norm of all gradients: chunks of fixed size of every tensor side by side, their sums of squares in
// double added in index order, first those of a tensor and then those of all; and clipping, one vector at a
// time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/gradient_norm/cpu_1_simd.cpp"
#include <cmath>

#include "engine/cpu/simd.h"
#include "engine/ops/gradient_norm/op.h"
#include "engine/ops/kernel.h"
#include "engine/ops/part_chunks.h"
#include "engine/ops/simd_loops.h"

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

std::int64_t chunks_of(const Parts& parts) {
  std::int64_t chunks = 0;
  for (const Part& part : parts) chunks += chunk_count(part.count);
  return chunks;
}

}  // namespace

void gradient_norm_simd(const GradientNorm& op, Buffers buffers, void* workspace, Stream&) {
  double* const partial = static_cast<double*>(workspace);  // one per chunk
  parallel_for(chunks_of(op.parts), [&](std::int64_t i) {
    std::size_t k = 0;
    std::int64_t chunk = i;  // of part k
    for (; chunk >= chunk_count(op.parts[k].count); ++k) chunk -= chunk_count(op.parts[k].count);
    const std::int64_t begin = chunk * kElementGrain, rest = op.parts[k].count - begin;
    partial[i] = HWY_DYNAMIC_DISPATCH(squares_range)(static_cast<const float*>(buffers[k]) + begin,
                                                     std::min(rest, kElementGrain));
  });
  double sum = 0;
  std::int64_t at = 0;
  for (const Part& part : op.parts) {
    double of_part = 0;
    for (std::int64_t c = 0; c < chunk_count(part.count); ++c) of_part += partial[at++];
    sum += of_part;
  }
  const double norm = std::sqrt(sum);
  *static_cast<double*>(buffers[op.parts.size()]) = norm;
  *static_cast<float*>(buffers[op.parts.size() + 1]) = static_cast<float>(clip_factor(norm, op.max_norm));
}

std::size_t gradient_norm_workspace(const GradientNorm& op) {
  return static_cast<std::size_t>(chunks_of(op.parts)) * sizeof(double);
}

void clip_simd(const Clip& op, Buffers buffers, void*, Stream&) {
  const float factor = *static_cast<const float*>(buffers.back());
  if (factor == 1) return;
  parallel_parts(op.parts, [&](std::size_t k, std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(clip_range)(factor, static_cast<float*>(buffers[k]) + begin, end - begin);
  });
}

}  // namespace umbra
#endif

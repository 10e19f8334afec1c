// All tensors of a network in one launch, or a few, 16 bytes at a time: as ops/adam's rung of this name. 20
// bytes per element with momentum, 12 without, 2 more with an image.
#include "engine/cuda/indexing.h"
#include "engine/cuda/parts.h"
#include "engine/ops/kernel.h"
#include "engine/ops/sgd/cuda_element.h"
#include "engine/ops/sgd/op.h"

namespace umbra {
namespace {

constexpr std::int64_t kChunk = 2048;  // elements of a block: two float4 of each tensor per thread

struct SgdPart {
  float* p;        // [count]
  const float* g;  // [count]; null where the gradient is absent
  float* v;        // [count]; null without momentum
  Bf16* image;     // [count], or null
  std::int64_t count, fours;
};

__device__ inline float4 fours_or_zero(const float* from, std::int64_t i) {
  return from == nullptr ? make_float4(0, 0, 0, 0) : reinterpret_cast<const float4*>(from)[i];
}

// lr [1]
__global__ void __launch_bounds__(kPartThreads)
    sgd_parts(const PartList<SgdPart> list, const SgdNumbers s, const double* lr) {
  const float minus_lr = static_cast<float>(-*lr);
  const int block = static_cast<int>(blockIdx.x), k = list.blocks.part_of(block);
  float* const p = list.part[k].p;
  const float* const g = list.part[k].g;
  float* const v = list.part[k].v;
  Bf16* const image = list.part[k].image;
  for_piece(
      list.blocks.piece(block, k, list.part[k].count), list.part[k].fours,
      [&](std::int64_t i) {
        const float4 slope = fours_or_zero(g, i), speed = fours_or_zero(v, i);
        float4 value = reinterpret_cast<float4*>(p)[i];
        const float4 step = make_float4(
            sgd_velocity(s, value.x, slope.x, speed.x), sgd_velocity(s, value.y, slope.y, speed.y),
            sgd_velocity(s, value.z, slope.z, speed.z), sgd_velocity(s, value.w, slope.w, speed.w));
        if (v != nullptr) reinterpret_cast<float4*>(v)[i] = step;
        value = make_float4(fmaf(minus_lr, step.x, value.x), fmaf(minus_lr, step.y, value.y),
                            fmaf(minus_lr, step.z, value.z), fmaf(minus_lr, step.w, value.w));
        reinterpret_cast<float4*>(p)[i] = value;
        if (image != nullptr) reinterpret_cast<FourBf16*>(image)[i] = FourBf16(value);
      },
      [&](std::int64_t i) {
        const float step = sgd_velocity(s, p[i], g == nullptr ? 0 : g[i], v == nullptr ? 0 : v[i]);
        if (v != nullptr) v[i] = step;
        p[i] = fmaf(minus_lr, step, p[i]);
        if (image != nullptr) image[i] = Bf16(p[i]);
      });
}

static_assert(sizeof(PartList<SgdPart>) + sizeof(SgdNumbers) + sizeof(double*) <= 4096,
              "parameters of a launch");

}  // namespace

void sgd_step_cuda_2_multi(const SgdStep& op, Buffers buffers, void*, Stream& stream) {
  const SgdNumbers numbers{static_cast<float>(op.momentum), static_cast<float>(op.weight_decay)};
  const auto part = [&](std::size_t k) {
    SgdPart made{
        static_cast<float*>(buffers[SgdStep::kBuffers * k]),
        op.parts[k].gradient_absent ? nullptr : static_cast<const float*>(buffers[SgdStep::kBuffers * k + 1]),
        op.momentum == 0 ? nullptr : static_cast<float*>(buffers[SgdStep::kBuffers * k + 2]),
        op.parts[k].image ? static_cast<Bf16*>(buffers[SgdStep::kBuffers * k + 3]) : nullptr,
        op.parts[k].count,
        0};
    if (aligned_to_16(made.p, made.g, made.v, made.image)) made.fours = made.count / 4;
    return made;
  };
  for_part_lists<SgdPart>(op.parts, kChunk, part, [&](const PartList<SgdPart>& list, std::int64_t) {
    launch(sgd_parts, part_grid(list), stream.native(), list, numbers,
           static_cast<const double*>(buffers.back()));
  });
}

}  // namespace umbra

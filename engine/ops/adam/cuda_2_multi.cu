// All tensors of a network in one launch, or a few: most are small, and a launch takes longer than their
// step. A block finds its tensor and its piece of it by a search in the parameters of the launch
// (engine/cuda/part_blocks.h), so that no table has to be copied to the device. The scalars, among them two
// divisions and a root in double, are worked out once per block; parameters, gradients and moments are read
// and written 16 bytes at a time: 28 bytes per element, 30 with an image, and memory is the limit.
#include "engine/cuda/indexing.h"
#include "engine/cuda/parts.h"
#include "engine/ops/adam/cuda_element.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

constexpr std::int64_t kChunk = 2048;  // elements of a block: two float4 of each tensor per thread

struct AdamPart {
  float* p;        // [count]
  const float* g;  // [count]; null where the gradient is absent
  float *m, *v;    // [count]
  Bf16* image;     // [count], or null
  std::int64_t count, fours;
};

// scalars [3]
__global__ void __launch_bounds__(kPartThreads)
    adam_parts(const PartList<AdamPart> list, const AdamRule rule, const double* scalars) {
  auto& s = shared_memory<AdamScalars<float>>();
  if (threadIdx.x == 0) s = AdamScalars<float>(rule, scalars);
  __syncthreads();
  const int block = static_cast<int>(blockIdx.x), k = list.blocks.part_of(block);
  const std::int64_t fours = list.part[k].fours;
  float* const p = list.part[k].p;
  const float* const g = list.part[k].g;
  float* const m = list.part[k].m;
  float* const v = list.part[k].v;
  Bf16* const image = list.part[k].image;
  for_piece(
      list.blocks.piece(block, k, list.part[k].count), fours,
      [&](std::int64_t i) {
        const float4 slope = g == nullptr ? make_float4(0, 0, 0, 0) : reinterpret_cast<const float4*>(g)[i];
        float4 value = reinterpret_cast<float4*>(p)[i];
        float4 first = reinterpret_cast<float4*>(m)[i], second = reinterpret_cast<float4*>(v)[i];
        adam_element(s, rule.decoupled, slope.x, value.x, first.x, second.x);
        adam_element(s, rule.decoupled, slope.y, value.y, first.y, second.y);
        adam_element(s, rule.decoupled, slope.z, value.z, first.z, second.z);
        adam_element(s, rule.decoupled, slope.w, value.w, first.w, second.w);
        reinterpret_cast<float4*>(p)[i] = value;
        reinterpret_cast<float4*>(m)[i] = first;
        reinterpret_cast<float4*>(v)[i] = second;
        if (image != nullptr) reinterpret_cast<FourBf16*>(image)[i] = FourBf16(value);
      },
      [&](std::int64_t i) {
        adam_element(s, rule.decoupled, g == nullptr ? 0 : g[i], p[i], m[i], v[i]);
        if (image != nullptr) image[i] = Bf16(p[i]);
      });
}

static_assert(sizeof(PartList<AdamPart>) + sizeof(AdamRule) + sizeof(double*) <= 4096,
              "parameters of a launch");

}  // namespace

void adam_step_cuda_2_multi(const AdamStep& op, Buffers buffers, void*, Stream& stream) {
  const auto part = [&](std::size_t k) {
    AdamPart made{static_cast<float*>(buffers[AdamStep::kBuffers * k]),
                  op.parts[k].gradient_absent
                      ? nullptr
                      : static_cast<const float*>(buffers[AdamStep::kBuffers * k + 1]),
                  static_cast<float*>(buffers[AdamStep::kBuffers * k + 2]),
                  static_cast<float*>(buffers[AdamStep::kBuffers * k + 3]),
                  op.parts[k].image ? static_cast<Bf16*>(buffers[AdamStep::kBuffers * k + 4]) : nullptr,
                  op.parts[k].count,
                  0};
    if (aligned_to_16(made.p, made.g, made.m, made.v, made.image)) made.fours = made.count / 4;
    return made;
  };
  for_part_lists<AdamPart>(op.parts, kChunk, part, [&](const PartList<AdamPart>& list, std::int64_t) {
    Grid grid = part_grid(list);
    grid.shared = sizeof(AdamScalars<float>);
    launch(adam_parts, grid, stream.native(), list, op.rule, static_cast<const double*>(buffers.back()));
  });
}

}  // namespace umbra

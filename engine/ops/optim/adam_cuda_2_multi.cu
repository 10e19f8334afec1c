// All tensors of a network in one launch or a few: most are small, and a launch takes longer than their
// step. A block finds its tensor and its piece of it by a search in the parameters of the launch
// (tensor_list_blocks.h), so that no table has to be copied to the device. A thread starts with its elements at
// once: what all steps share is a parameter of the launch, the three numbers of the step are read from memory.
// Parameters, gradients and moments are read and written 16 bytes at a time: 28 bytes per element, 30 with a bf16
// copy, and memory is the limit.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/adam_cuda_element.h"
#include "engine/ops/optim/cuda_tensor_list.h"

namespace umbra {
namespace {

constexpr std::int64_t kChunk = 2048;  // elements of a block: two float4 of each tensor per thread

/// The pointers of one tensor.
struct AdamTensor {
  float* p;         // [count]
  const float* g;   // [count]; null where the gradient is absent
  float *m, *v;     // [count]
  Bf16* bf16_copy;  // [count], or null
  std::int64_t count, fours;
};

// scalars [3]
__global__ void __launch_bounds__(kTensorListThreads)
    adam_tensors(const CudaTensorList<AdamTensor> list, const AdamScalars<float> all_steps,
                 const bool decoupled, const double* scalars) {
  const AdamScalars<float> s(all_steps, scalars);
  const int block = static_cast<int>(blockIdx.x), k = list.blocks.tensor_of(block);
  const std::int64_t fours = list.tensor[k].fours;
  float* const p = list.tensor[k].p;
  const float* const g = list.tensor[k].g;
  float* const m = list.tensor[k].m;
  float* const v = list.tensor[k].v;
  Bf16* const bf16_copy = list.tensor[k].bf16_copy;
  for_piece(
      list.blocks.piece(block, k, list.tensor[k].count), fours,
      [&](std::int64_t i) {
        const float4 gradient =
            g == nullptr ? make_float4(0, 0, 0, 0) : reinterpret_cast<const float4*>(g)[i];
        float4 value = reinterpret_cast<float4*>(p)[i];
        float4 first = reinterpret_cast<float4*>(m)[i], second = reinterpret_cast<float4*>(v)[i];
        adam_element(s, decoupled, gradient.x, value.x, first.x, second.x);
        adam_element(s, decoupled, gradient.y, value.y, first.y, second.y);
        adam_element(s, decoupled, gradient.z, value.z, first.z, second.z);
        adam_element(s, decoupled, gradient.w, value.w, first.w, second.w);
        reinterpret_cast<float4*>(p)[i] = value;
        reinterpret_cast<float4*>(m)[i] = first;
        reinterpret_cast<float4*>(v)[i] = second;
        if (bf16_copy != nullptr) reinterpret_cast<FourBf16*>(bf16_copy)[i] = FourBf16(value);
      },
      [&](std::int64_t i) {
        adam_element(s, decoupled, g == nullptr ? 0 : g[i], p[i], m[i], v[i]);
        if (bf16_copy != nullptr) bf16_copy[i] = Bf16(p[i]);
      });
}

static_assert(sizeof(CudaTensorList<AdamTensor>) + sizeof(AdamScalars<float>) + 2 * sizeof(double*) <= 4096,
              "parameters of a launch");

void run(const AdamStep& op, Buffers buffers, void*, Stream& stream) {
  const auto tensor = [&](std::size_t k) {
    AdamTensor made{buffers.out(AdamStep::kBuffers * k),
                    op.tensors[k].gradient_absent ? nullptr : buffers.in(AdamStep::kBuffers * k + 1),
                    buffers.out(AdamStep::kBuffers * k + 2),
                    buffers.out(AdamStep::kBuffers * k + 3),
                    op.tensors[k].bf16_copy ? buffers.out<Bf16>(AdamStep::kBuffers * k + 4) : nullptr,
                    op.tensors[k].count,
                    0};
    if (aligned_to_16(made.p, made.g, made.m, made.v, made.bf16_copy)) made.fours = made.count / 4;
    return made;
  };
  const auto step = [&](const CudaTensorList<AdamTensor>& list, std::int64_t) {
    launch(adam_tensors, tensor_list_grid(list), stream.native(), list, AdamScalars<float>(op.rule),
           op.rule.decoupled, buffers.last<double>());
  };
  for_cuda_tensor_lists<AdamTensor>(op.tensors, kChunk, tensor, step);
}

}  // namespace

Kernel adam_step_cuda_2_multi() {
  return make_kernel<AdamStep, run>();
}

}  // namespace umbra

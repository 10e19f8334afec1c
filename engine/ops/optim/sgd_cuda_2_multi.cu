// All tensors of a network in one launch or a few, 16 bytes at a time, as in adam_step's rung of this name.
// 20 bytes per element with momentum, 12 without, 2 more with a bf16 copy.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/cuda_tensor_list.h"
#include "engine/ops/optim/sgd.h"
#include "engine/ops/optim/sgd_cuda_element.h"

namespace umbra {
namespace {

constexpr std::int64_t kChunk = 2048;  // elements of a block: two float4 of each tensor per thread

/// The pointers of one tensor.
struct SgdTensor {
  float* p;             // [count]
  const float* g;       // [count]; null where the gradient is absent
  float* v;             // [count]; null without momentum
  Bf16* bf16_copy;      // [count], or null
  const double* share;  // [1], or null
  std::int64_t count, fours;
};

__device__ inline float4 fours_or_zero(const float* from, std::int64_t i) {
  return from == nullptr ? make_float4(0, 0, 0, 0) : reinterpret_cast<const float4*>(from)[i];
}

// lr [1]
__global__ void __launch_bounds__(kTensorListThreads)
    sgd_tensors(const CudaTensorList<SgdTensor> list, const SgdNumbers s, const double* lr) {
  const float minus_lr = static_cast<float>(-*lr);
  const int block = static_cast<int>(blockIdx.x), k = list.blocks.tensor_of(block);
  float* const p = list.tensor[k].p;
  const float* const g = list.tensor[k].g;
  float* const v = list.tensor[k].v;
  Bf16* const bf16_copy = list.tensor[k].bf16_copy;
  const float share = list.tensor[k].share == nullptr ? 1 : static_cast<float>(*list.tensor[k].share);
  for_piece(
      list.blocks.piece(block, k, list.tensor[k].count), list.tensor[k].fours,
      [&](std::int64_t i) {
        const float4 gradient = fours_or_zero(g, i);
        float4 velocity = fours_or_zero(v, i), value = reinterpret_cast<float4*>(p)[i];
        sgd_element(s, minus_lr, share, value.x, gradient.x, velocity.x);
        sgd_element(s, minus_lr, share, value.y, gradient.y, velocity.y);
        sgd_element(s, minus_lr, share, value.z, gradient.z, velocity.z);
        sgd_element(s, minus_lr, share, value.w, gradient.w, velocity.w);
        if (v != nullptr) reinterpret_cast<float4*>(v)[i] = velocity;
        reinterpret_cast<float4*>(p)[i] = value;
        if (bf16_copy != nullptr) reinterpret_cast<FourBf16*>(bf16_copy)[i] = FourBf16(value);
      },
      [&](std::int64_t i) {
        float value = p[i], velocity = v == nullptr ? 0 : v[i];
        sgd_element(s, minus_lr, share, value, g == nullptr ? 0 : g[i], velocity);
        if (v != nullptr) v[i] = velocity;
        p[i] = value;
        if (bf16_copy != nullptr) bf16_copy[i] = Bf16(value);
      });
}

static_assert(sizeof(CudaTensorList<SgdTensor>) + sizeof(SgdNumbers) + sizeof(double*) <= 4096,
              "parameters of a launch");

void run(const SgdStep& op, Buffers buffers, void*, Stream& stream) {
  const SgdNumbers numbers(op.rule);
  const double* scalars = buffers.last<double>();
  const auto tensor = [&](std::size_t k) {
    SgdTensor made{buffers.out(SgdStep::kBuffers * k),
                   op.tensors[k].gradient_absent ? nullptr : buffers.in(SgdStep::kBuffers * k + 1),
                   op.rule.momentum == 0 ? nullptr : buffers.out(SgdStep::kBuffers * k + 2),
                   op.tensors[k].bf16_copy ? buffers.out<Bf16>(SgdStep::kBuffers * k + 3) : nullptr,
                   sgd_share(op, k, scalars),
                   op.tensors[k].count,
                   0};
    if (aligned_to_16(made.p, made.g, made.v, made.bf16_copy)) made.fours = made.count / 4;
    return made;
  };
  const auto step = [&](const CudaTensorList<SgdTensor>& list, std::int64_t) {
    launch(sgd_tensors, tensor_list_grid(list), stream.native(), list, numbers, scalars);
  };
  for_cuda_tensor_lists<SgdTensor>(op.tensors, kChunk, tensor, step);
}

}  // namespace

Kernel sgd_step_cuda_2_multi() {
  return make_kernel<SgdStep, run>();
}

}  // namespace umbra

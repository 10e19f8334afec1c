// All tensors in one launch or a few, 16 bytes at a time (cuda_tensor_list.h). The norm has two stages: a
// sum in double per block, then one block that adds these sums. Which elements a thread adds, and in which
// order, depends on the counts alone, so that the norm is bit-identical every time. Memory is the limit: 4
// bytes per element for the norm, none for clipping with the factor 1 and 8 otherwise.
#include "engine/cuda/tile/block_fold.h"
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/optim/cuda_tensor_list.h"
#include "engine/ops/optim/gradient_norm.h"

namespace umbra {
namespace {

constexpr std::int64_t kChunk = 4096;   // elements of a block: four float4 per thread
constexpr unsigned kLastThreads = 512;  // of the block that adds the blocks' sums

struct NormTensor {
  const float* x;  // [count]
  std::int64_t count, fours;
};
struct ClipTensor {
  float* x;  // [count]
  std::int64_t count, fours;
};
template <unsigned kThreads>
struct Scratch {
  double sums[kThreads / kWarp];
};

__device__ inline double square(float x) {
  return static_cast<double>(x) * static_cast<double>(x);
}

/// Elements 4 i … 4 i + 3 of x, zeros from `count` on: the same four whether or not they can be read in one
/// load.
__device__ inline float4 four_of(const NormTensor& tensor, std::int64_t i) {
  if (i < tensor.fours) return reinterpret_cast<const float4*>(tensor.x)[i];
  const float* const x = tensor.x + 4 * i;
  const std::int64_t left = tensor.count - 4 * i;
  return make_float4(x[0], left > 1 ? x[1] : 0, left > 2 ? x[2] : 0, left > 3 ? x[3] : 0);
}

// sums [blocks of this launch]
__global__ void __launch_bounds__(kTensorListThreads)
    squares_of_tensors(const CudaTensorList<NormTensor> list, double* sums) {
  const int block = static_cast<int>(blockIdx.x), k = list.blocks.tensor_of(block);
  const NormTensor tensor = list.tensor[k];
  const TensorPiece piece = list.blocks.piece(block, k, tensor.count);
  double own = 0;
  for (std::int64_t i = piece.begin / 4 + threadIdx.x; 4 * i < piece.end; i += kTensorListThreads) {
    const float4 four = four_of(tensor, i);
    own += (square(four.x) + square(four.y)) + (square(four.z) + square(four.w));
  }
  const double all = block_sum(own, shared_memory<Scratch<kTensorListThreads>>().sums);
  if (threadIdx.x == 0) sums[block] = all;
}

// sums [count], norm [1], factor [1]
__global__ void __launch_bounds__(kLastThreads)
    norm_of_sums(const double* sums, double* norm, float* factor, std::int64_t count, double max_norm) {
  double own = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += kLastThreads) own += sums[i];
  const double all = block_sum(own, shared_memory<Scratch<kLastThreads>>().sums);
  if (threadIdx.x != 0) return;
  *norm = sqrt(all);
  *factor = static_cast<float>(clip_factor(sqrt(all), max_norm));
}

// factor [1]
__global__ void __launch_bounds__(kTensorListThreads)
    clip_tensors(const CudaTensorList<ClipTensor> list, const float* factor) {
  const float f = *factor;
  if (f == 1) return;
  const int block = static_cast<int>(blockIdx.x), k = list.blocks.tensor_of(block);
  float* const x = list.tensor[k].x;
  for_piece(
      list.blocks.piece(block, k, list.tensor[k].count), list.tensor[k].fours,
      [&](std::int64_t i) {
        const float4 four = reinterpret_cast<float4*>(x)[i];
        reinterpret_cast<float4*>(x)[i] = make_float4(f * four.x, f * four.y, f * four.z, f * four.w);
      },
      [&](std::int64_t i) { x[i] = f * x[i]; });
}

template <class Tensor, class T>
Tensor tensor_at(T* x, std::int64_t count) {
  return {x, count, aligned_to_16(x) ? count / 4 : 0};
}

void run_norm(const GradientNorm& op, Buffers buffers, void* workspace, Stream& stream) {
  auto* const sums = static_cast<double*>(workspace);
  const std::size_t tensors = op.tensors.size();
  const auto tensor = [&](std::size_t k) {
    return tensor_at<NormTensor>(buffers.in(k), op.tensors[k].count);
  };
  const auto add_squares = [&](const CudaTensorList<NormTensor>& list, std::int64_t before) {
    Grid grid = tensor_list_grid(list);
    grid.shared = sizeof(Scratch<kTensorListThreads>);
    launch(squares_of_tensors, grid, stream.native(), list, sums + before);
  };
  for_cuda_tensor_lists<NormTensor>(op.tensors, kChunk, tensor, add_squares);
  launch(norm_of_sums, Grid{{1}, {kLastThreads}, sizeof(Scratch<kLastThreads>)}, stream.native(), sums,
         buffers.out<double>(tensors), buffers.out(tensors + 1), total_blocks(op.tensors, kChunk),
         op.max_norm);
}
std::size_t norm_workspace(const GradientNorm& op) {
  return static_cast<std::size_t>(total_blocks(op.tensors, kChunk)) * sizeof(double);
}

void run_clip(const Clip& op, Buffers buffers, void*, Stream& stream) {
  const auto tensor = [&](std::size_t k) {
    return tensor_at<ClipTensor>(buffers.out(k), op.tensors[k].count);
  };
  const auto multiply = [&](const CudaTensorList<ClipTensor>& list, std::int64_t) {
    launch(clip_tensors, tensor_list_grid(list), stream.native(), list, buffers.last());
  };
  for_cuda_tensor_lists<ClipTensor>(op.tensors, kChunk, tensor, multiply);
}

}  // namespace

Kernel gradient_norm_cuda_2_multi() {
  return make_kernel<GradientNorm, run_norm, nullptr, norm_workspace>();
}
Kernel clip_cuda_2_multi() {
  return make_kernel<Clip, run_clip>();
}

}  // namespace umbra

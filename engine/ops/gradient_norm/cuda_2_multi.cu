// All tensors in one launch, or a few, 16 bytes at a time (engine/cuda/parts.h). The norm in two stages: a
// sum in double per block, then one block that adds these sums. Which elements a thread adds, and in which
// order, depends on nothing but the counts, so that the norm has the same bits every time. Memory is the
// limit: 4 bytes per element for the norm, none for clipping with the factor 1 and 8 otherwise.
#include "engine/cuda/block_sum.h"
#include "engine/cuda/indexing.h"
#include "engine/cuda/parts.h"
#include "engine/ops/gradient_norm/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

constexpr std::int64_t kChunk = 4096;   // elements of a block: four float4 per thread
constexpr unsigned kLastThreads = 512;  // of the block that adds the blocks' sums

struct NormPart {
  const float* x;  // [count]
  std::int64_t count, fours;
};
struct ClipPart {
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

/// Elements 4 i … 4 i + 3 of x, zeros from `count` on: the same four whether or not they may be read at once.
__device__ inline float4 four_of(const NormPart& part, std::int64_t i) {
  if (i < part.fours) return reinterpret_cast<const float4*>(part.x)[i];
  const float* const x = part.x + 4 * i;
  const std::int64_t left = part.count - 4 * i;
  return make_float4(x[0], left > 1 ? x[1] : 0, left > 2 ? x[2] : 0, left > 3 ? x[3] : 0);
}

// sums [blocks of this launch]
__global__ void __launch_bounds__(kPartThreads)
    squares_of_parts(const PartList<NormPart> list, double* sums) {
  const int block = static_cast<int>(blockIdx.x), k = list.blocks.part_of(block);
  const NormPart part = list.part[k];
  const PartPiece piece = list.blocks.piece(block, k, part.count);
  double own = 0;
  for (std::int64_t i = piece.begin / 4 + threadIdx.x; 4 * i < piece.end; i += kPartThreads) {
    const float4 four = four_of(part, i);
    own += (square(four.x) + square(four.y)) + (square(four.z) + square(four.w));
  }
  const double all = block_sum(own, shared_memory<Scratch<kPartThreads>>().sums);
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
__global__ void __launch_bounds__(kPartThreads)
    clip_parts(const PartList<ClipPart> list, const float* factor) {
  const float f = *factor;
  if (f == 1) return;
  const int block = static_cast<int>(blockIdx.x), k = list.blocks.part_of(block);
  float* const x = list.part[k].x;
  for_piece(
      list.blocks.piece(block, k, list.part[k].count), list.part[k].fours,
      [&](std::int64_t i) {
        const float4 four = reinterpret_cast<float4*>(x)[i];
        reinterpret_cast<float4*>(x)[i] = make_float4(f * four.x, f * four.y, f * four.z, f * four.w);
      },
      [&](std::int64_t i) { x[i] = f * x[i]; });
}

template <class P, class T>
P part_at(T* x, std::int64_t count) {
  return {x, count, aligned_to_16(x) ? count / 4 : 0};
}

}  // namespace

void gradient_norm_cuda_2_multi(const GradientNorm& op, Buffers buffers, void* workspace, Stream& stream) {
  auto* const sums = static_cast<double*>(workspace);
  const std::size_t tensors = op.parts.size();
  const auto part = [&](std::size_t k) {
    return part_at<NormPart>(static_cast<const float*>(buffers[k]), op.parts[k].count);
  };
  for_part_lists<NormPart>(op.parts, kChunk, part, [&](const PartList<NormPart>& list, std::int64_t before) {
    Grid grid = part_grid(list);
    grid.shared = sizeof(Scratch<kPartThreads>);
    launch(squares_of_parts, grid, stream.native(), list, sums + before);
  });
  launch(norm_of_sums, Grid{{1}, {kLastThreads}, sizeof(Scratch<kLastThreads>)}, stream.native(), sums,
         static_cast<double*>(buffers[tensors]), static_cast<float*>(buffers[tensors + 1]),
         part_blocks(op.parts, kChunk), op.max_norm);
}
std::size_t gradient_norm_cuda_2_workspace(const GradientNorm& op) {
  return static_cast<std::size_t>(part_blocks(op.parts, kChunk)) * sizeof(double);
}

void clip_cuda_2_multi(const Clip& op, Buffers buffers, void*, Stream& stream) {
  const auto part = [&](std::size_t k) {
    return part_at<ClipPart>(static_cast<float*>(buffers[k]), op.parts[k].count);
  };
  for_part_lists<ClipPart>(op.parts, kChunk, part, [&](const PartList<ClipPart>& list, std::int64_t) {
    launch(clip_parts, part_grid(list), stream.native(), list, static_cast<const float*>(buffers.back()));
  });
}

}  // namespace umbra

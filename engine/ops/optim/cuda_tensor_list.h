// Kernels over many tensors: the parameters of a launch, and the loop of a block over its piece.
#pragma once

#include <algorithm>

#include "cuda_grid.h"
#include "engine/base/precision.h"
#include "engine/cuda/tile/tensor_list_blocks.h"
#include "engine/ops/op.h"
#include "engine/ops/optim/tensor_list.h"

namespace umbra {

inline constexpr unsigned kTensorListThreads = 256;

/// The tensors of one launch; T holds the pointers of one and its `count`, and `fours`: the number of
/// float4 in which it may be processed.
template <class T>
struct CudaTensorList {
  TensorListBlocks blocks;
  T tensor[kMostTensors];
};

/// Calls launch(list, number of blocks of the launches before) for as many lists as the tensors need;
/// make(k) gives the pointers of tensor k. Tensors without elements are skipped.
template <class T, class Make, class Launch>
void for_cuda_tensor_lists(const TensorList& tensors, std::int64_t chunk, const Make& make,
                           const Launch& launch) {
  CudaTensorList<T> list{};
  list.blocks.chunk = chunk;
  std::int64_t before = 0;
  const auto flush = [&] {
    if (list.blocks.tensors > 0) launch(list, before);
    before += list.blocks.blocks();
    list.blocks.tensors = 0;
  };
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    if (tensors[k].count == 0) continue;
    if (list.blocks.tensors == kMostTensors) flush();
    list.tensor[list.blocks.tensors] = make(k);
    list.blocks.add(tensors[k].count);
  }
  flush();
}

/// The total number of blocks of all launches of for_cuda_tensor_lists().
inline std::int64_t total_blocks(const TensorList& tensors, std::int64_t chunk) {
  std::int64_t blocks = 0;
  for (const TensorSpec& tensor : tensors) blocks += (tensor.count + chunk - 1) / chunk;
  return blocks;
}

template <class T>
Grid tensor_list_grid(const CudaTensorList<T>& list) {
  return {{static_cast<unsigned>(list.blocks.blocks())}, {kTensorListThreads}};
}

/// Four bfloat16 that are written in one store.
struct alignas(8) FourBf16 {
  Bf16 x, y, z, w;
  __device__ explicit FourBf16(const float4& v) : x(v.x), y(v.y), z(v.z), w(v.w) {}
};

/// Divides a piece of a tensor among the threads of this block: four(i) for its i-th four elements, where
/// `fours` allows it, and one(i) for the rest. A piece that is not the last holds a multiple of four
/// elements.
template <class Four, class One>
__device__ void for_piece(const TensorPiece& piece, std::int64_t fours, const Four& four, const One& one) {
  const std::int64_t end = piece.end / 4 < fours ? piece.end / 4 : fours;
  for (std::int64_t i = piece.begin / 4 + threadIdx.x; i < end; i += kTensorListThreads) four(i);
  const std::int64_t rest = piece.begin > 4 * fours ? piece.begin : 4 * fours;
  for (std::int64_t i = rest + threadIdx.x; i < piece.end; i += kTensorListThreads) one(i);
}

}  // namespace umbra

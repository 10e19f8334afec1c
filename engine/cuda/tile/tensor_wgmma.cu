// Rung cuda_4_wgmma (tensor_product.h): the tensor cores of Hopper multiply directly from shared memory.
// mma.sync needs every operand in the registers of a certain thread; wgmma reads both operands from shared
// memory, described by two 64-bit numbers, and one instruction of a warpgroup computes 64 x 128 x 16 products.
// Operands still reach shared memory in the simplest way: all threads copy a slice, synchronise, multiply,
// synchronise, and copy the next.
//
// wgmma reads shared memory through another path (the asynchronous proxy), so it sees the stores of threads
// only after a fence.
#include "engine/cuda/tile/tensor_multiply.h"
#include "engine/cuda/tile/tensor_slices.h"
#include "engine/cuda/tile/tensor_sums.h"

namespace umbra {
namespace {

constexpr int kThreads = kMultipliers * kWarpgroup;

// Copies a box of a packed operand, 16 bytes at a time, as TMA does in the next rung. Elements outside the
// operand are zeros.
template <class Tile>
__device__ void copy_box(unsigned char* stage, int where, const TensorMapSpec& packed, int c0, int c1,
                         int c2) {
  const int width = static_cast<int>(packed.box[0]) * packed.element_bytes, pieces = width / 16;
  const std::int64_t start = static_cast<std::int64_t>(c0) * packed.element_bytes;
  const auto* const data = static_cast<const unsigned char*>(packed.data);
  const bool exists = c2 >= 0 && c2 < static_cast<std::int64_t>(packed.extent[2]);
  for (int i = static_cast<int>(threadIdx.x); i < pieces * static_cast<int>(packed.box[1]); i += kThreads) {
    const int row = i / pieces, from = (i - row * pieces) * 16;
    const bool inside = exists && c1 + row >= 0 && c1 + row < static_cast<std::int64_t>(packed.extent[1]) &&
                        start + from < static_cast<std::int64_t>(packed.pitch[0]);  // gaps are zeros
    int4 piece = make_int4(0, 0, 0, 0);
    if (inside)
      piece = *reinterpret_cast<const int4*>(data + static_cast<std::int64_t>(c2) * packed.pitch[1] +
                                             static_cast<std::int64_t>(c1 + row) * packed.pitch[0] + start +
                                             from);
    const unsigned at = swizzled(static_cast<unsigned>(where + row * width + from), Tile::kSwizzle);
    *reinterpret_cast<int4*>(stage + at) = piece;
  }
}

template <class Tile>
__global__ void __launch_bounds__(kThreads, 1)
    tensor_wgmma(const __grid_constant__ TensorArguments a, const __grid_constant__ TensorMapSpec w,
                 const __grid_constant__ TensorMapSpec x) {
  if constexpr (!kHopperCode) return trap();
  auto& shared = shared_memory<TensorShared<Tile>>();
  const int thread = static_cast<int>(threadIdx.x), warpgroup = thread / kWarpgroup;
  const TileAt at = tile_of_block<Tile>(a);
  list_taps(a.walk, at, shared);
  load_scales(a, at, shared);
  __syncthreads();

  float sums[Tile::kSums] = {};
  unsigned char* const stage = shared.stage[0];
  for (TensorSlices<Tile> slices(a, at, shared); slices.more(); slices.next()) {
    for_each_box<Tile>(slices.entry(), slices.first_step(), at,
                       [&](int where, bool of_w, int c0, int c1, int c2) {
                         copy_box<Tile>(stage, where, of_w ? w : x, c0, c1, c2);
                       });
    async_proxy_fence();
    __syncthreads();
    multiply_slice<Tile>(sums, operands_of<Tile>(shared_address(stage), warpgroup), warpgroup,
                         work_of(slices, a.walk, at, warpgroup), slices.multiplications());
    wgmma_wait<0>(sums);
    __syncthreads();
  }
  store_sums(a, at, shared, sums);
}

}  // namespace

void launch_tensor_wgmma(const TensorLaunch& launched, void* stream) {
  with_tensor_tile<TensorShape::kRows128>(launched.product, [&](auto tag) {
    using Chosen = typename decltype(tag)::Type;
    launch(tensor_wgmma<Chosen>, tensor_grid(launched, kThreads, sizeof(TensorShared<Chosen>)), stream,
           tensor_arguments(launched), boxes_of_w<Chosen>(launched), boxes_of_x<Chosen>(launched));
  });
}

}  // namespace umbra

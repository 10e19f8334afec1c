// Converts the boxes to the order of cuda_2_lanes.h: a transposition through shared memory, 32 samples by
// 32 positions at a time.
#include "engine/ops/stem/cuda_2_lanes.h"

namespace umbra {
namespace {

constexpr int kTile = 32, kRowsAtOnce = 8;  // a block has 32 x 8 threads
constexpr int kPitch = kTile + 1;           // columns of the tile are in different banks

__global__ void pack_boxes(StemView v, StemBoxes boxes, const float* x, float* packed) {
  float* tile = &shared_memory<float>();  // [position][sample]
  const int lane = static_cast<int>(threadIdx.x), first = static_cast<int>(blockIdx.x) * kTile;
  const int group = static_cast<int>(blockIdx.y), positions = boxes.rows * boxes.padded;
  const int position = first + lane, column = position % boxes.padded - boxes.left;
  const bool data = position < positions && column >= 0 && column < v.axis[2].in;
  const std::int64_t from = std::int64_t{1} * (position / boxes.padded) * v.axis[2].in + column;
  const std::int64_t of_sample = std::int64_t{1} * boxes.rows * v.axis[2].in;
  for (int s = static_cast<int>(threadIdx.y); s < kStemLanes32; s += kRowsAtOnce) {
    const int n = group * kStemLanes32 + s;
    tile[lane * kPitch + s] = data && n < v.batch ? x[n * of_sample + from] : 0;
  }
  __syncthreads();
  float* to = packed + (std::int64_t{1} * group * positions + first) * kStemLanes32;
  for (int p = static_cast<int>(threadIdx.y); p < kTile && first + p < positions; p += kRowsAtOnce)
    to[p * kStemLanes32 + lane] = tile[p * kPitch + lane];
}

}  // namespace

void stem_pack_boxes_cuda(const StemView& v, const StemBoxes& boxes, const float* x, float* packed,
                          Stream& stream) {
  const auto tiles = static_cast<unsigned>(stem_tiles(boxes.rows * boxes.padded, kTile));
  launch(
      pack_boxes,
      Grid{
          {tiles, static_cast<unsigned>(boxes.groups)}, {kTile, kRowsAtOnce}, kTile * kPitch * sizeof(float)},
      stream.native(), v, boxes, x, packed);
}

}  // namespace umbra

// One thread per voxel of the batch. Writes are side by side; reads are wherever the window looks, mostly
// runs of a row.
#include <limits>

#include "engine/cuda/indexing.h"
#include "engine/ops/gather_boxes/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

__global__ void gather_each(const float* boxes, const BoxWindow* windows, float* y, int voxels, int sample) {
  const auto i = static_cast<int>(thread_number());
  if (i >= sample) return;
  const BoxWindow& window = windows[blockIdx.y];
  const int area = voxels * voxels, volume = area * voxels, at = i % volume;
  const BoxWindowStep x = box_window_step(window, voxels, 0, at / area);
  const BoxWindowStep u = box_window_step(window, voxels, 1, at / voxels % voxels);
  const BoxWindowStep w = box_window_step(window, voxels, 2, at % voxels);
  const std::int64_t box = window.source[x.bit | u.bit | w.bit];
  y[static_cast<std::int64_t>(blockIdx.y) * sample + i] =
      boxes[box * sample + (i - at) + x.offset + u.offset + w.offset];
}

}  // namespace

std::string gather_boxes_cuda_declines(const GatherBoxes& op) {
  if (op.sample() > std::numeric_limits<int>::max() - 1024) return "more than 2^31 numbers in a box";
  return op.batch > 65535 ? "more than 65535 samples" : "";
}

void gather_boxes_cuda_1_naive(const GatherBoxes& op, Buffers buffers, void*, Stream& stream) {
  Grid grid = one_thread_each(op.sample());
  grid.blocks.y = static_cast<unsigned>(op.batch);
  launch(gather_each, grid, stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<const BoxWindow*>(buffers[1]), static_cast<float*>(buffers[2]),
         static_cast<int>(op.voxels), static_cast<int>(op.sample()));
}

}  // namespace umbra

// One thread per voxel of the batch. Writes are contiguous; reads follow the window and are mostly runs of
// a row.
#include <limits>

#include "engine/cuda/tile/indexing.h"
#include "engine/ops/data_movement/gather_boxes.h"
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

std::string declines(const GatherBoxes& op) {
  if (op.sample() > std::numeric_limits<int>::max() - 1024) return "a box has more than 2^31 - 1025 numbers";
  return op.batch > 65535 ? "there are more than 65535 samples" : "";
}

void run(const GatherBoxes& op, Buffers buffers, void*, Stream& stream) {
  Grid grid = one_thread_each(op.sample());
  grid.blocks.y = static_cast<unsigned>(op.batch);
  launch(gather_each, grid, stream.native(), buffers.in(0), buffers.in<BoxWindow>(1), buffers.out(2),
         static_cast<int>(op.voxels), static_cast<int>(op.sample()));
}

}  // namespace

Kernel gather_boxes_cuda_1_naive() {
  return make_kernel<GatherBoxes, run, declines>();
}

}  // namespace umbra

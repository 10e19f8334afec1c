// Along each of the output's axes every index is looked up once per sample; the rest is copying row by row,
// samples in parallel.
#include <array>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/ops/data_movement/gather_boxes.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

void gather_sample(const GatherBoxes& op, const float* boxes, const BoxWindow& window, float* y) {
  const auto v = static_cast<std::int32_t>(op.voxels);
  std::array<std::vector<BoxWindowStep>, 3> steps;
  for (int a = 0; a < 3; ++a) {
    for (std::int32_t i = 0; i < v; ++i)
      steps[static_cast<std::size_t>(a)].push_back(box_window_step(window, v, a, i));
  }
  for (std::int64_t f = 0; f < op.features; ++f) {
    for (const BoxWindowStep& x : steps[0]) {
      for (const BoxWindowStep& u : steps[1]) {
        std::array<const float*, 8> row{};
        for (std::size_t k = 0; k < 8; ++k) {
          row[k] = boxes + window.source[k] * op.sample() + f * op.volume() + x.offset + u.offset;
        }
        const std::int32_t bits = x.bit | u.bit;
        for (const BoxWindowStep& w : steps[2]) *y++ = row[static_cast<std::size_t>(bits | w.bit)][w.offset];
      }
    }
  }
}

void run(const GatherBoxes& op, Buffers buffers, void*, Stream&) {
  const auto* boxes = buffers.in(0);               // [box, F, V, V, V]
  const auto* windows = buffers.in<BoxWindow>(1);  // [N]
  auto* y = buffers.out(2);                        // [N, F, V, V, V]
  parallel_for(op.batch, [&](std::int64_t n) { gather_sample(op, boxes, windows[n], y + n * op.sample()); });
}

}  // namespace

Kernel gather_boxes_cpu_1_rows() {
  return make_kernel<GatherBoxes, run>();
}

}  // namespace umbra

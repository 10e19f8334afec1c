// The definition of a gathered batch, on any scalar.
#pragma once

#include "engine/ops/data_movement/gather_boxes.h"
#include "engine/ops/kernel.h"

namespace umbra {

template <class T>
void gather_boxes_reference(const GatherBoxes& op, Buffers buffers, void*, Stream&) {
  const T* boxes = buffers.in<T>(0);               // [box, F, V, V, V]
  const auto* windows = buffers.in<BoxWindow>(1);  // [N]
  T* y = buffers.out<T>(2);                        // [N, F, V, V, V]
  const auto v = static_cast<std::int32_t>(op.voxels);
  for (std::int64_t n = 0; n < op.batch; ++n) {
    for (std::int64_t f = 0; f < op.features; ++f) {
      for (std::int32_t i = 0; i < v * v * v; ++i) {
        const BoxWindowStep x = box_window_step(windows[n], v, 0, i / (v * v));
        const BoxWindowStep u = box_window_step(windows[n], v, 1, i / v % v);
        const BoxWindowStep w = box_window_step(windows[n], v, 2, i % v);
        const std::int64_t box = windows[n].source[x.bit | u.bit | w.bit];
        *y++ = boxes[box * op.sample() + f * op.volume() + x.offset + u.offset + w.offset];
      }
    }
  }
}

}  // namespace umbra

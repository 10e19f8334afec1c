// A sample as a window onto boxes in memory: the boxes it overlaps, its shift in voxels relative to the
// first box, and which of the 48 symmetries of the cube is applied to it. Used by the data sets that draw
// windows and by the kernels that read through them, on any device.
#pragma once

#include <cstdint>

namespace umbra {

struct BoxWindow {
  std::int32_t source[8];  // source[k]: the neighbour in the direction of the shift along every axis a with
                           // bit a of k set
  std::int32_t axis[3];    // output axis a runs along axis[a] of the window
  std::int32_t flip[3];    // 1: the axis is reversed
  std::int32_t shift[3];   // of the window relative to source[0], in voxels, from -(V - 1) to V - 1
};
inline constexpr std::int64_t kBoxWindowNumbers = sizeof(BoxWindow) / sizeof(std::int32_t);

/// One output axis: the contribution of voxel `i` to the offset in its box, and the bit of the index into
/// `source` that it sets.
struct BoxWindowStep {
  std::int32_t offset, bit;
};
constexpr BoxWindowStep box_window_step(const BoxWindow& w, std::int32_t voxels, int output_axis,
                                        std::int32_t i) {
  const std::int32_t axis = w.axis[output_axis];
  std::int32_t at = (w.flip[output_axis] != 0 ? voxels - 1 - i : i) + w.shift[axis];
  const bool outside = at < 0 || at >= voxels;
  if (outside) at += at < 0 ? voxels : -voxels;
  const std::int32_t stride = axis == 0 ? voxels * voxels : axis == 1 ? voxels : 1;
  return {at * stride, outside ? 1 << axis : 0};
}

}  // namespace umbra

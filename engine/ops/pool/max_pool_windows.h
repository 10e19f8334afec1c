// The geometry of pooling in numbers that a kernel takes by value, and which positions and windows meet.
#pragma once

#include "engine/ops/pool/max_pool.h"

namespace umbra {

struct Windows {
  int in[3], out[3], kernel[3], stride[3], padding[3];
  std::int64_t row;  // numbers at a position: C N

  struct Range {
    int begin, end;
  };
  /// The input coordinates in the window of output o, padding left out.
  constexpr Range inputs_of(int o, int axis) const {
    const int start = o * stride[axis] - padding[axis], end = start + kernel[axis];
    return {start > 0 ? start : 0, end < in[axis] ? end : in[axis]};
  }
  /// The outputs whose windows hold input coordinate i.
  constexpr Range outputs_of(int i, int axis) const {
    const int before = i + padding[axis] - kernel[axis];  // the last start that is too early
    const int begin = before < 0 ? 0 : before / stride[axis] + 1;
    const int end = (i + padding[axis]) / stride[axis] + 1;
    return {begin, end < out[axis] ? end : out[axis]};
  }
};

inline Windows windows_of(const PoolGeometry& g) {
  Windows w{};
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    w.in[axis] = static_cast<int>(g.in[a]);
    w.out[axis] = static_cast<int>(g.out(axis));
    w.kernel[axis] = static_cast<int>(g.kernel[a]);
    w.stride[axis] = static_cast<int>(g.stride[a]);
    w.padding[axis] = static_cast<int>(g.padding[a]);
  }
  w.row = g.row();
  return w;
}

}  // namespace umbra

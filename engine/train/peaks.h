// Peaks: what a device can do, measured with the ops of engine/ops/elementwise/peak.h.
#pragma once

#include "engine/tensor/context.h"

namespace umbra {

struct Peaks {
  double flops = 0;  // multiply-adds in registers, counted as two each, per second
  double bytes = 0;  // copying memory that no cache holds: bytes read plus bytes written per second

  /// The share of a roofline that `seconds` for so much work is: 1 when nothing could be faster.
  double roofline(double work_flops, double work_bytes, double seconds) const {
    const double needed = work_flops / flops > work_bytes / bytes ? work_flops / flops : work_bytes / bytes;
    return needed / seconds;
  }
};

/// Medians of nine runs on the context's device; takes half a GiB of its memory and a second of a CPU's time.
Peaks measure_peaks(Context& context);

}  // namespace umbra

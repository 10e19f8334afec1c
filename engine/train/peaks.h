// Peaks: the highest rates of a device, measured with the ops of engine/ops/elementwise/peak.h.
#pragma once

#include <string>

#include "engine/tensor/context.h"

namespace umbra {

/// The roofline of a device (Williams, Waterman & Patterson 2009).
struct Peaks {
  double flops = 0;  ///< FLOP/s of fp32 multiply-adds in registers, each counted as two operations
  double bytes = 0;  ///< bytes/s of a copy in memory beyond all caches, bytes read plus bytes written

  /// The shortest time that the peaks allow for `work_flops` operations and `work_bytes` bytes, divided by
  /// `seconds`: 1 is the roofline.
  double roofline(double work_flops, double work_bytes, double seconds) const {
    const double needed = work_flops / flops > work_bytes / bytes ? work_flops / flops : work_bytes / bytes;
    return needed / seconds;
  }
};

/// Measures the peaks of the context's device: medians of nine runs. Needs 0.5 GiB of its memory and, on a
/// CPU, about one second.
Peaks measure_peaks(Context& context);

/// The CPU's name according to the system, "unknown" if it does not say.
std::string cpu_name();

}  // namespace umbra

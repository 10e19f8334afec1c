// The workspace in which the CPU rungs keep numbers between their passes: two sums per channel and group,
// then three floats per channel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/ops/batch_norm/op.h"

namespace umbra {

/// Cut is ChannelSplit or ChannelBlocks.
template <class Cut>
struct ChannelWorkspace {
  ChannelWorkspace(const Cut& cut, void* memory)
      : partial(static_cast<double*>(memory)),
        first(reinterpret_cast<float*>(partial + cut.groups * 2 * cut.channels)),
        second(first + cut.channels),
        third(second + cut.channels) {}
  static std::size_t bytes(const Cut& cut) {
    return static_cast<std::size_t>(cut.channels) *
           (static_cast<std::size_t>(cut.groups) * 2 * sizeof(double) + 3 * sizeof(float));
  }
  double* partial;                // [groups, 2, C]
  float *first, *second, *third;  // [C]
};

/// The workspace sizes; inference needs only a scale per channel.
template <class Cut>
std::size_t workspace_bytes(const BatchNormOp& op) {
  return ChannelWorkspace<Cut>::bytes(Cut(op.outer, op.channels, op.inner));
}
inline std::size_t inference_workspace_bytes(const BatchNormInference& op) {
  return static_cast<std::size_t>(op.channels) * sizeof(float);
}

}  // namespace umbra

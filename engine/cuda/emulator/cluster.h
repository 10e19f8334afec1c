// Clusters of blocks for the host; engine/cuda/device/cluster.h documents the functions.
#pragma once

#include "cuda_grid.h"
#include "engine/cuda/emulator/async.h"

namespace umbra {

inline unsigned cluster_rank() {
  return emulator::cluster_rank();
}
inline unsigned cluster_size() {
  return emulator::cluster_size();
}
inline void cluster_sync() {
  emulator::wait_for_cluster();
}
inline float4 cluster_load(const float4* mine, unsigned rank) {
  return *static_cast<const float4*>(emulator::in_cluster(mine, sizeof *mine, rank));
}
inline float cluster_load(const float* mine, unsigned rank) {
  return *static_cast<const float*>(emulator::in_cluster(mine, sizeof *mine, rank));
}

}  // namespace umbra

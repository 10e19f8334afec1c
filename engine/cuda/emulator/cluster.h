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
  emulator::arrive_at_cluster(true);
  emulator::wait_for_cluster();
}
inline void cluster_arrive_relaxed() {
  emulator::arrive_at_cluster(false);
}
inline void cluster_wait() {
  emulator::wait_for_cluster();
}
inline float4 cluster_load(const float4* mine, unsigned rank) {
  return *static_cast<const float4*>(emulator::in_cluster(mine, sizeof *mine, rank));
}
inline float cluster_load(const float* mine, unsigned rank) {
  return *static_cast<const float*>(emulator::in_cluster(mine, sizeof *mine, rank));
}

// The emulator runs one cluster after the other, of at most as many blocks as every Hopper card supports.
template <class... Parameters>
int clusters_at_once(void (*)(Parameters...), const Grid& grid) {
  constexpr unsigned kMost = 8;
  return grid.cluster.x * grid.cluster.y * grid.cluster.z <= kMost ? 1 : 0;
}

}  // namespace umbra

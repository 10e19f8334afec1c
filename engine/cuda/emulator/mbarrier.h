// Barriers that count arrivals and bytes, for the host; engine/cuda/device/mbarrier.h documents the
// functions.
#pragma once

#include <cstdint>

#include "cuda_grid.h"
#include "engine/cuda/emulator/async.h"

namespace umbra {

struct alignas(8) Barrier {
  std::uint64_t bits;
};

inline void barrier_init(Barrier& barrier, unsigned arrivals) {
  emulator::barrier_init(&barrier, arrivals);
}
inline void barrier_init_fence() {
  emulator::barrier_init_fence();
}
inline void barrier_arrive(Barrier& barrier) {
  emulator::barrier_arrive(&barrier);
}
inline void barrier_arrive_expect(Barrier& barrier, unsigned bytes) {
  emulator::barrier_arrive_expect(&barrier, bytes);
}
inline void barrier_wait(Barrier& barrier, unsigned parity) {
  emulator::barrier_wait(&barrier, parity);
}
inline void barrier_arrive_remote(Barrier& mine, unsigned rank) {
  emulator::barrier_arrive_remote(&mine, rank);
}
inline void async_proxy_fence() {
  emulator::async_proxy_fence();
}

}  // namespace umbra

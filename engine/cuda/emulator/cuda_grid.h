// What a kernel needs from CUDA, for the host: the counterpart of engine/cuda/device/cuda_grid.h, with which
// the same kernels compile for the CPU and run thread by thread (emulator.h), so that they can be tested
// without a GPU.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "engine/cuda/emulator/async.h"
#include "engine/cuda/emulator/emulator.h"
#include "engine/runtime/launch_refusal.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

using umbra::emulator::blockDim;
using umbra::emulator::blockIdx;
using umbra::emulator::dim3;
using umbra::emulator::gridDim;
using umbra::emulator::threadIdx;

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
inline float2 make_float2(float x, float y) {
  return {x, y};
}
inline float4 make_float4(float x, float y, float z, float w) {
  return {x, y, z, w};
}
inline int4 make_int4(int x, int y, int z, int w) {
  return {x, y, z, w};
}

inline float __fmul_rn(float a, float b) {
  return a * b;
}

inline void __syncthreads() {
  umbra::emulator::wait_for_block();
}
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  umbra::emulator::exchange(mask, 0, threadIdx.x % 32);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int lane) {
  return umbra::emulator::shuffle(mask, value, static_cast<unsigned>(lane));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  return umbra::emulator::shuffle(mask, value, umbra::emulator::lane() ^ static_cast<unsigned>(lanes));
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned lanes) {
  const unsigned from = umbra::emulator::lane() + lanes;
  return umbra::emulator::shuffle(mask, value, from < 32 ? from : umbra::emulator::lane());
}

namespace umbra {

inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kFullWarp = 0xffffffffu;
inline constexpr bool kHopperCode = true;
inline void trap() {}

struct Grid {
  dim3 blocks, threads;
  std::size_t shared = 0;
  dim3 cluster{1, 1, 1};
};

template <class T>
T& shared_memory() {
  return *static_cast<T*>(emulator::shared_memory(sizeof(T)));
}

inline unsigned shared_address(const void* shared) {
  return emulator::shared_address(shared);
}
inline void named_barrier_sync(int id, int threads) {
  emulator::wait_at_named_barrier(id, threads);
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Grid& grid, void* queue, Arguments... arguments) {
  if (!launch_refusal().empty()) return;
  if (emulator::recorded({reinterpret_cast<const void*>(kernel), grid.blocks, grid.threads, grid.cluster}))
    return;
  emulator::submit(queue, [=] {
    emulator::run(grid.blocks, grid.threads, grid.shared, grid.cluster,
                  [&] { kernel(static_cast<Parameters>(arguments)...); });
  });
}

}  // namespace umbra

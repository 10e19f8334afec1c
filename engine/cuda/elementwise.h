// y[i] = f(a[i], b[i], …), four elements per thread in 16-byte loads and stores: fewer instructions per byte
// than one at a time. Buffers that do not start at a multiple of 16 bytes are walked one element at a time;
// so is what four do not divide. Bound by memory: these kernels do nothing but move their buffers.
#pragma once

#include "engine/cuda/indexing.h"
#include "engine/runtime/stream.h"

namespace umbra {

template <class F, class... Four>
__device__ float4 apply_to_fours(const F& f, Four... in) {
  return make_float4(f(in.x...), f(in.y...), f(in.z...), f(in.w...));
}

template <class F, class... In>
__global__ void map_fours(F f, std::int64_t count, std::int64_t fours, float* y, In... in) {
  const std::int64_t i = thread_number();
  if (i < fours) {
    reinterpret_cast<float4*>(y)[i] = apply_to_fours(f, reinterpret_cast<const float4*>(in)[i]...);
  } else if (const std::int64_t rest = 4 * fours + (i - fours); rest < count) {
    y[rest] = f(in[rest]...);
  }
}

/// Launches y[i] = f(in[i]…) for i in [0, count). `f` is a struct with  __device__ float operator()(float…)
/// const;  y may be one of `in`, which are pointers to const float.
template <class F, class... In>
void map_elements(const F& f, std::int64_t count, const Stream& stream, float* y, In... in) {
  const std::int64_t fours = aligned_to_16(y, in...) ? count / 4 : 0;
  launch(map_fours<F, In...>, one_thread_each(count - 3 * fours), stream.native(), f, count, fours, y, in...);
}

}  // namespace umbra

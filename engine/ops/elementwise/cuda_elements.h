// The two CUDA rungs of y[i] = f(a[i], b[i], …), which are limited by memory bandwidth. `f` is a struct
// whose `float operator()(float…) const` is constexpr or __device__; y may be one of the inputs, which are
// pointers to const float.
//
//   cuda_1_naive     one thread per element
//   cuda_2_vectors   four elements per thread in 16-byte loads and stores: fewer instructions per byte.
//                    Buffers that do not start at a multiple of 16 bytes are processed one element at a
//                    time; so is the remainder of a division by four.
#pragma once

#include "engine/cuda/tile/indexing.h"
#include "engine/runtime/stream.h"

namespace umbra {

template <class F, class... In>
__global__ void map_each(F f, std::int64_t count, float* y, In... in) {
  const std::int64_t i = thread_number();
  if (i < count) y[i] = f(in[i]...);
}

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

/// Starts y[i] = f(in[i]…) for i in [0, count), one thread per element.
template <class F, class... In>
void map_each_element(const F& f, std::int64_t count, const Stream& stream, float* y, In... in) {
  launch(map_each<F, In...>, one_thread_each(count), stream.native(), f, count, y, in...);
}

/// The same, four elements per thread.
template <class F, class... In>
void map_vectors(const F& f, std::int64_t count, const Stream& stream, float* y, In... in) {
  const std::int64_t fours = aligned_to_16(y, in...) ? count / 4 : 0;
  launch(map_fours<F, In...>, one_thread_each(count - 3 * fours), stream.native(), f, count, fours, y, in...);
}

}  // namespace umbra

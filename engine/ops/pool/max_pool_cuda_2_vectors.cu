// Four neighbouring samples per thread: they share the position, hence the window, the loops and the index
// arithmetic, and are read in 16-byte loads. Where the length of a row is not a multiple of four, or a
// buffer does not start at a multiple of 16 bytes, a thread processes one sample. Thread indices are 32
// bits wide, which makes their divisions cheap.
#include "engine/cuda/tile/channel_walk.h"
#include "engine/ops/kernel.h"
#include "engine/ops/pool/max_pool.h"
#include "engine/ops/pool/pool_windows.h"

namespace umbra {
namespace {

template <int kWidth>
struct Choices {
  std::int32_t v[kWidth];
};

__device__ Choices<4> choices_of(const int4& four) {
  return {four.x, four.y, four.z, four.w};
}

template <int kWidth>
__device__ Choices<kWidth> load_choices(const std::int32_t* p) {
  if constexpr (kWidth == 4) {
    return choices_of(*reinterpret_cast<const int4*>(p));
  } else {
    return {*p};
  }
}

template <int kWidth>
__device__ void store_choices(std::int32_t* p, const Choices<kWidth>& choices) {
  if constexpr (kWidth == 4) {
    *reinterpret_cast<int4*>(p) = make_int4(choices.v[0], choices.v[1], choices.v[2], choices.v[3]);
  } else {
    *p = choices.v[0];
  }
}

/// A thread's position and its first number there.
struct Place {
  unsigned position;
  std::int64_t cn;
};
template <int kWidth>
__device__ Place place_of(unsigned thread, unsigned row) {
  const unsigned units = row / kWidth;
  return {thread / units, static_cast<std::int64_t>(thread % units) * kWidth};
}

// x: [D, H, W, C, N]; y, argmax: [oD, oH, oW, C, N]
template <int kWidth>
__global__ void __launch_bounds__(kElementThreads, 4)
    max_pool_forward_units(const float* x, float* y, std::int32_t* argmax, Windows w, unsigned threads) {
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  if (thread >= threads) return;
  const auto [position, cn] = place_of<kWidth>(thread, static_cast<unsigned>(w.row));
  const int o = static_cast<int>(position);
  const auto ds = w.inputs_of(o / w.out[2] / w.out[1], 0);
  const auto hs = w.inputs_of(o / w.out[2] % w.out[1], 1);
  const auto ws = w.inputs_of(o % w.out[2], 2);
  const int first = (ds.begin * w.in[1] + hs.begin) * w.in[2] + ws.begin;
  Unit<kWidth> best = load_unit<kWidth>(x + first * w.row + cn, true);
  Choices<kWidth> winner{};
  for (int k = 0; k < kWidth; ++k) winner.v[k] = first;
  for (int d = ds.begin; d < ds.end; ++d) {
    for (int h = hs.begin; h < hs.end; ++h) {
      for (int v = ws.begin; v < ws.end; ++v) {
        const int at = (d * w.in[1] + h) * w.in[2] + v;
        const Unit<kWidth> value = load_unit<kWidth>(x + at * w.row + cn, true);
        for (int k = 0; k < kWidth; ++k) {
          const bool wins = value.v[k] > best.v[k] || value.v[k] != value.v[k];  // a NaN wins
          best.v[k] = wins ? value.v[k] : best.v[k];
          winner.v[k] = wins ? at : winner.v[k];
        }
      }
    }
  }
  store_unit(y + o * w.row + cn, best, true);
  store_choices(argmax + o * w.row + cn, winner);
}

// dy, argmax: [oD, oH, oW, C, N]; dx: [D, H, W, C, N]
template <int kWidth>
__global__ void __launch_bounds__(kElementThreads)
    max_pool_backward_units(const float* dy, const std::int32_t* argmax, float* dx, Windows w,
                            unsigned threads) {
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  if (thread >= threads) return;
  const auto [position, cn] = place_of<kWidth>(thread, static_cast<unsigned>(w.row));
  const int i = static_cast<int>(position);
  const auto ds = w.outputs_of(i / w.in[2] / w.in[1], 0);
  const auto hs = w.outputs_of(i / w.in[2] % w.in[1], 1);
  const auto ws = w.outputs_of(i % w.in[2], 2);
  Unit<kWidth> sum{};
  for (int d = ds.begin; d < ds.end; ++d) {
    for (int h = hs.begin; h < hs.end; ++h) {
      for (int v = ws.begin; v < ws.end; ++v) {
        const std::int64_t at = ((d * w.out[1] + h) * w.out[2] + v) * w.row + cn;
        const Choices<kWidth> chosen = load_choices<kWidth>(argmax + at);
        const Unit<kWidth> gradient = load_unit<kWidth>(dy + at, true);
        for (int k = 0; k < kWidth; ++k) sum.v[k] += chosen.v[k] == i ? gradient.v[k] : 0;
      }
    }
  }
  store_unit(dx + i * w.row + cn, sum, true);
}

template <class O>
std::string declines(const O& op) {
  const std::int64_t count = op.geometry.in_volume() * op.geometry.row();
  return count < std::int64_t{1} << 31 ? "" : "it supports at most 2^31 - 1 numbers";
}
std::string declines_forward(const MaxPoolForward& op) {
  return has_gaps(op.geometry) ? "it supports only windows without dilation" : declines(op);
}

bool in_fours(std::int64_t row, const void* a, const void* b, const void* c) {
  return row % 4 == 0 && aligned_to_16(a, b, c);
}

void forward(const MaxPoolForward& op, Buffers buffers, void*, Stream& stream) {
  const PoolGeometry& g = op.geometry;
  const bool fours = in_fours(g.row(), buffers[0], buffers[1], buffers[2]);
  const std::int64_t threads = g.out_volume() * g.row() / (fours ? 4 : 1);
  launch(fours ? max_pool_forward_units<4> : max_pool_forward_units<1>, one_thread_each(threads),
         stream.native(), buffers.in(0), buffers.out(1), buffers.out<std::int32_t>(2), windows_of(g),
         threads);
}

void backward(const MaxPoolBackward& op, Buffers buffers, void*, Stream& stream) {
  const PoolGeometry& g = op.geometry;
  const bool fours = in_fours(g.row(), buffers[0], buffers[1], buffers[2]);
  const std::int64_t threads = g.in_volume() * g.row() / (fours ? 4 : 1);
  launch(fours ? max_pool_backward_units<4> : max_pool_backward_units<1>, one_thread_each(threads),
         stream.native(), buffers.in(0), buffers.in<std::int32_t>(1), buffers.out(2), windows_of(g), threads);
}

}  // namespace

Kernel max_pool_forward_cuda_2_vectors() {
  return make_kernel<MaxPoolForward, forward, declines_forward>();
}
Kernel max_pool_backward_cuda_2_vectors() {
  return make_kernel<MaxPoolBackward, backward, declines<MaxPoolBackward>>();
}

}  // namespace umbra

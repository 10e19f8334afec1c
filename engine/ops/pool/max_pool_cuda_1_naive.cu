// One thread per result, in both directions. Forward it iterates over the inputs of its window. Backward it
// iterates over the outputs whose windows contain its input and adds up those that chose it: nothing is
// scattered and the order of the sum is fixed.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/pool/max_pool.h"
#include "engine/ops/pool/pool_windows.h"

namespace umbra {
namespace {

// x: [D, H, W, C, N]; y, argmax: [oD, oH, oW, C, N]; number i of the output
template <class W>
__device__ void take_winner(const float* x, float* y, std::int32_t* argmax, const W& w, std::int64_t i) {
  const std::int64_t cn = i % w.row;
  const int o = static_cast<int>(i / w.row);
  const auto ds = w.inputs_of(o / w.out[2] / w.out[1], 0);
  const auto hs = w.inputs_of(o / w.out[2] % w.out[1], 1);
  const auto ws = w.inputs_of(o % w.out[2], 2);
  int winner = (ds.begin * w.in[1] + hs.begin) * w.in[2] + ws.begin;
  float best = x[winner * w.row + cn];
  for (int d = ds.begin; d < ds.end; d += w.step(0)) {
    for (int h = hs.begin; h < hs.end; h += w.step(1)) {
      for (int v = ws.begin; v < ws.end; v += w.step(2)) {
        const int position = (d * w.in[1] + h) * w.in[2] + v;
        const float value = x[position * w.row + cn];
        if (!(value > best || value != value)) continue;  // a NaN wins
        best = value;
        winner = position;
      }
    }
  }
  y[i] = best;
  argmax[i] = winner;
}

__global__ void max_pool_forward_each(const float* x, float* y, std::int32_t* argmax, Windows w,
                                      std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i < count) take_winner(x, y, argmax, w, i);
}
__global__ void __launch_bounds__(kElementThreads)
    max_pool_forward_dilated(const float* x, float* y, std::int32_t* argmax, DilatedWindows w,
                             std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i < count) take_winner(x, y, argmax, w, i);
}

// dy, argmax: [oD, oH, oW, C, N]; dx: [D, H, W, C, N]
__global__ void max_pool_backward_each(const float* dy, const std::int32_t* argmax, float* dx, Windows w,
                                       std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const std::int64_t cn = i % w.row;
  const int position = static_cast<int>(i / w.row);
  const auto ds = w.outputs_of(position / w.in[2] / w.in[1], 0);
  const auto hs = w.outputs_of(position / w.in[2] % w.in[1], 1);
  const auto ws = w.outputs_of(position % w.in[2], 2);
  float sum = 0;
  for (int d = ds.begin; d < ds.end; ++d) {
    for (int h = hs.begin; h < hs.end; ++h) {
      for (int v = ws.begin; v < ws.end; ++v) {
        const std::int64_t at = static_cast<std::int64_t>((d * w.out[1] + h) * w.out[2] + v) * w.row + cn;
        if (argmax[at] == position) sum += dy[at];
      }
    }
  }
  dx[i] = sum;
}

template <class O>
std::string declines(const O& op) {
  return too_many_positions(op.geometry);
}

void forward(const MaxPoolForward& op, Buffers buffers, void*, Stream& stream) {
  const PoolGeometry& g = op.geometry;
  const std::int64_t count = g.out_volume() * g.row();
  const auto each = [&](auto kernel, const auto& windows) {
    launch(kernel, one_thread_each(count), stream.native(), buffers.in(0), buffers.out(1),
           buffers.out<std::int32_t>(2), windows, count);
  };
  if (has_gaps(g)) return each(max_pool_forward_dilated, dilated_windows_of(g));
  each(max_pool_forward_each, windows_of(g));
}

void backward(const MaxPoolBackward& op, Buffers buffers, void*, Stream& stream) {
  const std::int64_t count = op.geometry.in_volume() * op.geometry.row();
  launch(max_pool_backward_each, one_thread_each(count), stream.native(), buffers.in(0),
         buffers.in<std::int32_t>(1), buffers.out(2), windows_of(op.geometry), count);
}

}  // namespace

Kernel max_pool_forward_cuda_1_naive() {
  return make_kernel<MaxPoolForward, forward, declines<MaxPoolForward>>();
}
Kernel max_pool_backward_cuda_1_naive() {
  return make_kernel<MaxPoolBackward, backward, declines<MaxPoolBackward>>();
}

}  // namespace umbra

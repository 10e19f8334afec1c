// One thread per result, in both directions, its sum in double. Forward it adds the inputs of its window;
// backward the shares of the outputs whose windows contain its input: nothing is scattered and the order of
// the sum is fixed.
#include <limits>

#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/pool/average_pool.h"
#include "engine/ops/pool/pool_windows.h"

namespace umbra {
namespace {

// x: [D, H, W, C, N]; y: [oD, oH, oW, C, N]
__global__ void __launch_bounds__(kElementThreads)
    average_pool_forward_each(const float* x, float* y, AverageWindows w, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const std::int64_t cn = i % w.row;
  const int o = static_cast<int>(i / w.row);
  const int od = o / w.out[2] / w.out[1], oh = o / w.out[2] % w.out[1], ow = o % w.out[2];
  const auto ds = w.inputs_of(od, 0), hs = w.inputs_of(oh, 1), ws = w.inputs_of(ow, 2);
  const int taps = w.counted(od, 0) * w.counted(oh, 1) * w.counted(ow, 2);
  double sum = 0;
  for (int d = ds.begin; d < ds.end; ++d) {
    for (int h = hs.begin; h < hs.end; ++h) {
#pragma unroll 1
      for (int v = ws.begin; v < ws.end; ++v) sum += x[((d * w.in[1] + h) * w.in[2] + v) * w.row + cn];
    }
  }
  y[i] = static_cast<float>(sum / taps);
}

// dy: [oD, oH, oW, C, N]; dx: [D, H, W, C, N]
__global__ void __launch_bounds__(kElementThreads, 1)
    average_pool_backward_each(const float* dy, float* dx, AverageWindows w, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const std::int64_t cn = i % w.row;
  const int position = static_cast<int>(i / w.row);
  const auto ds = w.outputs_of(position / w.in[2] / w.in[1], 0);
  const auto hs = w.outputs_of(position / w.in[2] % w.in[1], 1);
  const auto ws = w.outputs_of(position % w.in[2], 2);
  double sum = 0;
  for (int d = ds.begin; d < ds.end; ++d) {
    for (int h = hs.begin; h < hs.end; ++h) {
      const int plane = w.counted(d, 0) * w.counted(h, 1);
#pragma unroll 1
      for (int v = ws.begin; v < ws.end; ++v) {
        const double gradient = dy[((d * w.out[1] + h) * w.out[2] + v) * w.row + cn];
        sum += gradient * (1.0 / (plane * w.counted(v, 2)));
      }
    }
  }
  dx[i] = static_cast<float>(sum);
}

template <class O>
void launch_each(void (*kernel)(const float*, float*, AverageWindows, std::int64_t), const O& op,
                 std::int64_t positions, Buffers buffers, const Stream& stream) {
  const std::int64_t count = positions * op.geometry.row();
  launch(kernel, one_thread_each(count), stream.native(), buffers.in(0), buffers.out(1),
         average_windows_of(op.geometry, op.count_padding), count);
}

std::string declines(const AveragePoolOp& op) {
  const Triple& k = op.geometry.kernel;
  const bool many_taps = k[0] * k[1] > std::numeric_limits<std::int32_t>::max() / k[2];
  return many_taps ? "it supports only windows of fewer than 2^31 taps" : too_many_positions(op.geometry);
}

void forward(const AveragePoolForward& op, Buffers buffers, void*, Stream& stream) {
  launch_each(average_pool_forward_each, op, op.geometry.out_volume(), buffers, stream);
}

void backward(const AveragePoolBackward& op, Buffers buffers, void*, Stream& stream) {
  launch_each(average_pool_backward_each, op, op.geometry.in_volume(), buffers, stream);
}

}  // namespace

Kernel average_pool_forward_cuda_1_naive() {
  return make_kernel<AveragePoolForward, forward, declines>();
}
Kernel average_pool_backward_cuda_1_naive() {
  return make_kernel<AveragePoolBackward, backward, declines>();
}

}  // namespace umbra

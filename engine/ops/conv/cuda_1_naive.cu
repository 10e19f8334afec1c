// One thread per output element: it walks the live taps of its position (of its tap, in wgrad), whose partner
// positions are arithmetic on the geometry (conv_axis.h). Neighbouring threads have neighbouring samples of
// the same channel, so that activations are read side by side and a weight is one number for the whole warp;
// in wgrad they have neighbouring output channels. Nothing that is loaded is used twice by a thread, so
// caches alone bound the speed.
#include "engine/cuda/indexing.h"
#include "engine/ops/conv/rungs_cuda.h"
#include "engine/ops/conv_axis.h"

namespace umbra {
namespace {

__global__ void fprop_each(ConvMap map, const float* x, const float* w, float* y) {
  const std::int64_t i = thread_number();
  const int C = map.in_channels, K = map.out_channels, N = map.batch;
  if (i >= static_cast<std::int64_t>(map.outputs()) * K * N) return;
  const int n = static_cast<int>(i) % N, row = static_cast<int>(i) / N, k = row % K;
  const Place o = map.output_place(row / K);
  float sum = 0;
  const TapBox live = map.live();
  if (live.count() > 0) {
    int slot = 0;
    for (Place t = live.at(0); t.d < kMostAxisTaps; t = live.after(t), ++slot) {
      const int from = map.input_of(o, t);
      if (from < 0) continue;
      for (int c = 0; c < C; ++c) sum += w[(slot * C + c) * K + k] * x[(from * C + c) * N + n];
    }
  }
  y[i] = sum;
}

__global__ void dgrad_each(ConvMap map, const float* dy, const float* w, float* dx) {
  const std::int64_t i = thread_number();
  const int C = map.in_channels, K = map.out_channels, N = map.batch;
  if (i >= static_cast<std::int64_t>(map.inputs()) * C * N) return;
  const int n = static_cast<int>(i) % N, row = static_cast<int>(i) / N, c = row % C;
  const Place at = map.input_place(row / C);
  float sum = 0;
  const TapBox live = map.live();
  if (live.count() > 0) {
    int slot = 0;
    for (Place t = live.at(0); t.d < kMostAxisTaps; t = live.after(t), ++slot) {
      const int o = map.output_of(at, t);
      if (o < 0) continue;
      for (int k = 0; k < K; ++k) sum += w[(slot * C + c) * K + k] * dy[(o * K + k) * N + n];
    }
  }
  dx[i] = sum;
}

__global__ void wgrad_each(ConvMap map, const float* x, const float* dy, float* dw) {
  const std::int64_t i = thread_number();
  const int C = map.in_channels, K = map.out_channels, N = map.batch;
  if (i >= static_cast<std::int64_t>(map.live().count()) * C * K) return;
  const int k = static_cast<int>(i) % K, row = static_cast<int>(i) / K, c = row % C;
  const Place t = map.live().at(row / C);
  const Box touched = map.outputs_of_taps(t, t);
  float sum = 0;
  for (int pair = 0; pair < touched.count(); ++pair) {
    const Place o = touched.at(pair);
    const float* a = x + (map.input_of(o, t) * C + c) * N;
    const float* b = dy + (((o.d * map.h.out + o.h) * map.w.out + o.w) * K + k) * N;
    for (int n = 0; n < N; ++n) sum += a[n] * b[n];
  }
  dw[i] = sum;
}

// The kernels' common call: one thread for each of the outputs, first operand, second operand -> output.
void launch_each(void (*kernel)(ConvMap, const float*, const float*, float*), std::int64_t outputs,
                 const ConvMap& map, Buffers b, Stream& stream) {
  launch(kernel, one_thread_each(outputs), stream.native(), map, static_cast<const float*>(b[0]),
         static_cast<const float*>(b[1]), static_cast<float*>(b[2]));
}

}  // namespace

void conv_fprop_cuda_1_naive(const ConvFprop& op, Buffers b, void*, Stream& stream) {  // x, w -> y
  const ConvMap map = conv_map(op.geometry);
  launch_each(fprop_each, map.outputs() * map.out_channels * map.batch, map, b, stream);
}
void conv_dgrad_cuda_1_naive(const ConvDgrad& op, Buffers b, void*, Stream& stream) {  // dy, w -> dx
  const ConvMap map = conv_map(op.geometry);
  launch_each(dgrad_each, map.inputs() * map.in_channels * map.batch, map, b, stream);
}
void conv_wgrad_cuda_1_naive(const ConvWgrad& op, Buffers b, void*, Stream& stream) {  // x, dy -> dw
  const ConvMap map = conv_map(op.geometry);
  launch_each(wgrad_each, map.live().count() * map.in_channels * map.out_channels, map, b, stream);
}

}  // namespace umbra

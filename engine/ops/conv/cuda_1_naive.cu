// One thread per output element: it walks the live taps of its position (of its tap, in wgrad), whose partner
// positions are arithmetic on the geometry (cuda_conv_map.h). Neighbouring threads have neighbouring samples
// of the same channel, so that activations are read side by side and a weight is one number for the whole
// warp; in wgrad they have neighbouring output channels. Nothing that is loaded is used twice by a thread, so
// caches alone bound the speed. In inference each thread runs the epilogue of its own sum.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/conv/cuda_declines.h"
#include "engine/ops/conv/cuda_epilogue.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/ladder.h"

namespace umbra {
namespace {

// The sum of output element i.
__device__ float fprop_sum(const ConvMap& map, const float* x, const float* w, int i) {
  const int C = map.in_channels, K = map.out_channels, N = map.batch;
  const int n = i % N, row = i / N, k = row % K;
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
  return sum;
}
__device__ std::int64_t fprop_sums(const ConvMap& map) {
  return static_cast<std::int64_t>(map.outputs()) * map.out_channels * map.batch;
}

__global__ void fprop_each(ConvMap map, const float* x, const float* w, float* y) {
  const std::int64_t i = thread_number();
  if (i < fprop_sums(map)) y[i] = fprop_sum(map, x, w, static_cast<int>(i));
}

__global__ void inference_each(ConvMap map, const float* x, const float* w, CudaConvEpilogue epilogue) {
  const std::int64_t i = thread_number();
  if (i < fprop_sums(map)) epilogue.put(static_cast<int>(i), fprop_sum(map, x, w, static_cast<int>(i)));
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

// The passes' common call: one thread for each of the outputs, first operand, second operand -> output.
void launch_each(void (*kernel)(ConvMap, const float*, const float*, float*), std::int64_t outputs,
                 const ConvMap& map, Buffers b, Stream& stream) {
  launch(kernel, one_thread_each(outputs), stream.native(), map, b.in(0), b.in(1), b.out(2));
}

void fprop(const ConvFprop& op, Buffers b, void*, Stream& stream) {  // x, w -> y
  const ConvMap map = conv_map(op.geometry);
  launch_each(fprop_each, map.outputs() * map.out_channels * map.batch, map, b, stream);
}
void dgrad(const ConvDgrad& op, Buffers b, void*, Stream& stream) {  // dy, w -> dx
  const ConvMap map = conv_map(op.geometry);
  launch_each(dgrad_each, map.inputs() * map.in_channels * map.batch, map, b, stream);
}
void wgrad(const ConvWgrad& op, Buffers b, void*, Stream& stream) {  // x, dy -> dw
  const ConvMap map = conv_map(op.geometry);
  launch_each(wgrad_each, map.live().count() * map.in_channels * map.out_channels, map, b, stream);
}
void inference(const ConvInference& op, Buffers b, void*, Stream& stream) {
  launch(inference_each, one_thread_each(op.count()), stream.native(), conv_map(op.geometry),
         b.in(0),  // [D, H, W, Cin, N]
         b.in(1),  // [live tap, Cin, Cout]
         cuda_conv_epilogue(op, b));
}

}  // namespace

Kernel conv_fprop_cuda_1_naive() {
  return make_kernel<ConvFprop, fprop, cuda_declines_unless_fp32<ConvOp>>();
}
Kernel conv_dgrad_cuda_1_naive() {
  return make_kernel<ConvDgrad, dgrad, cuda_declines_unless_fp32<ConvOp>>();
}
Kernel conv_wgrad_cuda_1_naive() {
  return make_kernel<ConvWgrad, wgrad, cuda_declines_unless_fp32<ConvOp>>();
}
Kernel conv_inference_cuda_1_naive() {
  return make_kernel<ConvInference, inference, cuda_declines_unless_fp32<ConvInference>>();
}

}  // namespace umbra

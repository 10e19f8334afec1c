// One thread per output element: it iterates over the live taps of its position (in wgrad, over the
// positions of its tap) and computes the partner positions from the geometry (cuda_conv_map.h).
// Neighbouring threads have neighbouring samples of the same channel, so that they read adjacent
// activations and the whole warp reads the same weight; in wgrad they have neighbouring output channels. A
// thread uses nothing that it loads twice, so caches alone limit the speed. In inference and dgrad each
// thread runs the epilogue of its own sum.
//
// It is the only CUDA rung for dilation and groups, and supports them with any precision.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/conv/cuda_declines.h"
#include "engine/ops/conv/cuda_epilogue.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

// The properties of a convolution that a kernel needs besides its map. In a plain one they are constants
// and cost nothing.
struct PlainConv : ConvMap {
  constexpr int group_inputs() const { return in_channels; }
  constexpr int group_outputs() const { return out_channels; }
  constexpr int group_of_input(int) const { return 0; }
  constexpr int group_of_output(int) const { return 0; }
  /// The distance of a tap from the first, in input positions.
  constexpr Place distance(Place tap) const { return tap; }
  /// The operands of the products: an activation, and weight i.
  constexpr float rounded(float value) const { return value; }
  __device__ float weight(const float* weights, int i) const { return weights[i]; }
};

struct GeneralConv : ConvMap {
  Place dilation;
  int inputs_each, outputs_each;  // channels of a group
  Precision precision;
  bool bf16_weights;  // they are stored as bfloat16

  constexpr int group_inputs() const { return inputs_each; }
  constexpr int group_outputs() const { return outputs_each; }
  constexpr int group_of_input(int c) const { return c / inputs_each; }
  constexpr int group_of_output(int k) const { return k / outputs_each; }
  constexpr Place distance(Place tap) const {
    return {tap.d * dilation.d, tap.h * dilation.h, tap.w * dilation.w};
  }
  constexpr float rounded(float value) const { return rounded_to(precision, value); }
  __device__ float weight(const float* weights, int i) const {
    return bf16_weights ? static_cast<float>(reinterpret_cast<const Bf16*>(weights)[i]) : rounded(weights[i]);
  }
};

// The sum of output element i.
template <class Conv>
__device__ float fprop_sum(const Conv& conv, const float* x, const float* w, int i) {
  const int C = conv.in_channels, K = conv.out_channels, N = conv.batch, steps = conv.group_inputs();
  const int n = i % N, row = i / N, k = row % K, first = conv.group_of_output(k) * steps;
  const Place o = conv.output_place(row / K);
  float sum = 0;
  const TapBox live = conv.live();
  if (live.count() > 0) {
    int slot = 0;
    for (Place t = live.at(0); t.d < kMostAxisTaps; t = live.after(t), ++slot) {
      const int from = conv.input_of(o, conv.distance(t));
      if (from < 0) continue;
      for (int c = 0; c < steps; ++c)
        sum += conv.weight(w, (slot * steps + c) * K + k) * conv.rounded(x[(from * C + first + c) * N + n]);
    }
  }
  return sum;
}
__device__ std::int64_t fprop_sums(const ConvMap& map) {
  return static_cast<std::int64_t>(map.outputs()) * map.out_channels * map.batch;
}

template <class Conv>
__global__ void fprop_each(Conv conv, const float* x, const float* w, float* y) {
  const std::int64_t i = thread_number();
  if (i < fprop_sums(conv)) y[i] = fprop_sum(conv, x, w, static_cast<int>(i));
}

template <class Conv>
__global__ void inference_each(Conv conv, const float* x, const float* w, CudaConvEpilogue epilogue) {
  const std::int64_t i = thread_number();
  if (i < fprop_sums(conv)) epilogue.put(static_cast<int>(i), fprop_sum(conv, x, w, static_cast<int>(i)));
}

template <class Conv>
__global__ void dgrad_each(Conv conv, const float* dy, const float* w, CudaConvEpilogue epilogue) {
  const std::int64_t i = thread_number();
  const int C = conv.in_channels, K = conv.out_channels, N = conv.batch;
  if (i >= static_cast<std::int64_t>(conv.inputs()) * C * N) return;
  const int n = static_cast<int>(i) % N, row = static_cast<int>(i) / N, c = row % C;
  const int group = conv.group_of_input(c), first = group * conv.group_outputs();
  const Place at = conv.input_place(row / C);
  float sum = 0;
  const TapBox live = conv.live();
  if (live.count() > 0) {
    int weights = c - group * conv.group_inputs();  // row of w: that of c at this tap
    for (Place t = live.at(0); t.d < kMostAxisTaps; t = live.after(t), weights += conv.group_inputs()) {
      const int o = conv.output_of(at, conv.distance(t));
      if (o < 0) continue;
      for (int k = first; k < first + conv.group_outputs(); ++k)
        sum += conv.weight(w, weights * K + k) * conv.rounded(dy[(o * K + k) * N + n]);
    }
  }
  epilogue.put(static_cast<int>(i), sum);
}

template <class Conv>
__global__ void wgrad_each(Conv conv, const float* x, const float* dy, float* dw) {
  const std::int64_t i = thread_number();
  const int C = conv.in_channels, K = conv.out_channels, N = conv.batch, rows = conv.group_inputs();
  if (i >= static_cast<std::int64_t>(conv.live().count()) * rows * K) return;
  const int k = static_cast<int>(i) % K, row = static_cast<int>(i) / K;
  const int c = conv.group_of_output(k) * rows + row % rows;
  const Place t = conv.distance(conv.live().at(row / rows));
  const Box touched = conv.outputs_of_taps(t, t);
  float sum = 0;
  for (int pair = 0; pair < touched.count(); ++pair) {
    const Place o = touched.at(pair);
    const float* a = x + (conv.input_of(o, t) * C + c) * N;
    const float* b = dy + (((o.d * conv.h.out + o.h) * conv.w.out + o.w) * K + k) * N;
    for (int n = 0; n < N; ++n) sum += conv.rounded(a[n]) * conv.rounded(b[n]);
  }
  dw[i] = sum;
}

// Calls launch with the convolution of `op` in the form that kernels receive.
template <class O, class Launch>
void with_conv(const O& op, const Launch& launch) {
  const ConvGeometry& g = op.geometry;
  const ConvMap map = conv_map(g);
  if (g.plain()) return launch(PlainConv{map});
  const auto number = [](std::int64_t n) { return static_cast<int>(n); };
  launch(GeneralConv{map,
                     {number(g.dilation[0]), number(g.dilation[1]), number(g.dilation[2])},
                     number(g.group_inputs()),
                     number(g.group_outputs()),
                     op.precision,
                     op.weights == DType::kBf16});
}

// The passes' common call: one thread for each of the outputs, first operand, second operand -> output.
template <class Conv>
void launch_each(void (*kernel)(Conv, const float*, const float*, float*), std::int64_t outputs,
                 const Conv& conv, Buffers b, Stream& stream) {
  launch(kernel, one_thread_each(outputs), stream.native(), conv, b.in(0), b.in(1), b.out(2));
}

void fprop(const ConvFprop& op, Buffers b, void*, Stream& stream) {  // x, w -> y
  const ConvGeometry& g = op.geometry;
  with_conv(op, [&]<class Conv>(const Conv& conv) {
    launch_each(fprop_each<Conv>, g.batch * g.out_channels * g.out_volume(), conv, b, stream);
  });
}
void dgrad(const ConvDgrad& op, Buffers b, void*, Stream& stream) {  // dy, w -> dx, addend
  const ConvGeometry& g = op.geometry;
  with_conv(op, [&]<class Conv>(const Conv& conv) {
    launch(dgrad_each<Conv>, one_thread_each(g.batch * g.in_channels * g.in_volume()), stream.native(), conv,
           b.in(0), b.in(1), cuda_conv_epilogue(op, b));
  });
}
void wgrad(const ConvWgrad& op, Buffers b, void*, Stream& stream) {  // x, dy -> dw
  with_conv(op, [&]<class Conv>(const Conv& conv) {
    launch_each(wgrad_each<Conv>, op.geometry.weights(), conv, b, stream);
  });
}
void inference(const ConvInference& op, Buffers b, void*, Stream& stream) {
  with_conv(op, [&]<class Conv>(const Conv& conv) {
    launch(inference_each<Conv>, one_thread_each(op.count()), stream.native(), conv,
           b.in(0),  // [D, H, W, Cin, N]
           b.in(1),  // [live tap, Cin / groups, Cout]
           cuda_conv_epilogue(op, b));
  });
}

template <class O>
std::string declines(const O& op) {
  return op.geometry.plain() ? cuda_declines_unless_fp32(op) : conv_map_declines(op.geometry);
}

}  // namespace

Kernel conv_fprop_cuda_1_naive() {
  return make_kernel<ConvFprop, fprop, declines<ConvOp>>();
}
Kernel conv_dgrad_cuda_1_naive() {
  return make_kernel<ConvDgrad, dgrad, declines<ConvOp>>();
}
Kernel conv_wgrad_cuda_1_naive() {
  return make_kernel<ConvWgrad, wgrad, declines<ConvOp>>();
}
Kernel conv_inference_cuda_1_naive() {
  return make_kernel<ConvInference, inference, declines<ConvInference>>();
}

}  // namespace umbra

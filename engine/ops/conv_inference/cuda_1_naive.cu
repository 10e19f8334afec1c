// One thread per output element, which walks the live taps of its position as conv's rung of this name does
// and finishes its own sum. Neighbouring threads have neighbouring samples of a channel.
#include "engine/cuda/indexing.h"
#include "engine/ops/conv_axis.h"
#include "engine/ops/conv_inference/finish_cuda.h"
#include "engine/ops/conv_inference/rungs_cuda.h"

namespace umbra {
namespace {

__global__ void conv_and_finish_each(ConvMap map, const float* x, const float* w,
                                     ConvInferenceFinishCuda finish) {
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
  finish.put(static_cast<int>(i), sum);
}

}  // namespace

void conv_inference_cuda_1_naive(const ConvInference& op, Buffers b, void*, Stream& stream) {
  launch(conv_and_finish_each, one_thread_each(op.count()), stream.native(), conv_map(op.geometry),
         static_cast<const float*>(b[0]),  // [D, H, W, Cin, N]
         static_cast<const float*>(b[1]),  // [live tap, Cin, Cout]
         conv_inference_finish_cuda(op, b));
}

}  // namespace umbra

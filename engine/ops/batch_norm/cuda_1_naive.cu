// Inference, one thread per number; each thread looks up its channel and computes the square root itself.
#include "engine/ops/batch_norm/cuda_arithmetic.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

__global__ void batch_norm_inference_each(BatchNormInferenceArguments a, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const ChannelMap map = running_map(a, i / a.shape.inner % a.shape.channels);
  a.y[i] = normalised(map, a.x[i], a.residual != nullptr ? a.residual[i] : 0, a.relu);
}

void inference(const BatchNormInference& op, Buffers buffers, void*, Stream& stream) {
  launch(batch_norm_inference_each, one_thread_each(op.count()), stream.native(), arguments_of(op, buffers),
         op.count());
}

}  // namespace

Kernel batch_norm_inference_cuda_1_naive() {
  return make_kernel<BatchNormInference, inference>();
}

}  // namespace umbra

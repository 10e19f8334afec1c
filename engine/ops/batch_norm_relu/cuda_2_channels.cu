// Inference with blocks that stay in a channel (engine/cuda/batch_norm_inference.h).
#include "engine/cuda/batch_norm_inference.h"
#include "engine/ops/batch_norm_relu/cuda_arguments.h"

namespace umbra {

void batch_norm_relu_inference_cuda_2_channels(const BatchNormReluInference& op, Buffers buffers, void*,
                                               Stream& stream) {
  batch_norm_inference_by_channels(arguments_of(op, buffers), stream);
}

}  // namespace umbra

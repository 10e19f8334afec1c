// Inference with blocks that stay in a channel (engine/cuda/batch_norm_inference.h).
#include "engine/cuda/batch_norm_inference.h"
#include "engine/ops/batch_norm/cuda_arguments.h"

namespace umbra {

void batch_norm_inference_cuda_2_channels(const BatchNormInference& op, Buffers buffers, void*,
                                          Stream& stream) {
  batch_norm_inference_by_channels(arguments_of(op, buffers), stream);
}

}  // namespace umbra

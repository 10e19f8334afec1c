// Inference, one thread per number (engine/cuda/batch_norm_inference.h).
#include "engine/cuda/batch_norm_inference.h"
#include "engine/ops/batch_norm/cuda_arguments.h"

namespace umbra {

void batch_norm_inference_cuda_1_naive(const BatchNormInference& op, Buffers buffers, void*, Stream& stream) {
  batch_norm_inference_naive(arguments_of(op, buffers), stream);
}

}  // namespace umbra

// Training in one launch with a channel in the registers of a block (engine/cuda/batch_norm_resident.h).
#include "engine/cuda/batch_norm_resident.h"
#include "engine/ops/batch_norm_relu/cuda_arguments.h"

namespace umbra {

void batch_norm_relu_forward_cuda_3_resident(const BatchNormReluForward& op, Buffers buffers, void*,
                                             Stream& stream) {
  batch_norm_resident(arguments_of(op, buffers), stream);
}

std::string batch_norm_relu_forward_cuda_3_declines(const BatchNormReluForward& op) {
  return batch_norm_resident_declines(batch_norm_relu_shape(op), kManyHeld);
}

void batch_norm_relu_backward_cuda_3_resident(const BatchNormReluBackward& op, Buffers buffers, void*,
                                              Stream& stream) {
  batch_norm_resident(arguments_of(op, buffers), stream);
}

std::string batch_norm_relu_backward_cuda_3_declines(const BatchNormReluBackward& op) {
  return batch_norm_resident_declines(batch_norm_relu_shape(op), kFewHeld);
}

}  // namespace umbra

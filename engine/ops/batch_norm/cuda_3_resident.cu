// Training in one launch with a channel in the registers of a block (engine/cuda/batch_norm_resident.h).
#include "engine/cuda/batch_norm_resident.h"
#include "engine/ops/batch_norm/cuda_arguments.h"

namespace umbra {

void batch_norm_forward_cuda_3_resident(const BatchNormForward& op, Buffers buffers, void*, Stream& stream) {
  batch_norm_resident(arguments_of(op, buffers), stream);
}

std::string batch_norm_forward_cuda_3_declines(const BatchNormForward& op) {
  return batch_norm_resident_declines(batch_norm_shape(op), kManyHeld);
}

void batch_norm_backward_cuda_3_resident(const BatchNormBackward& op, Buffers buffers, void*,
                                         Stream& stream) {
  batch_norm_resident(arguments_of(op, buffers), stream);
}

std::string batch_norm_backward_cuda_3_declines(const BatchNormBackward& op) {
  return batch_norm_resident_declines(batch_norm_shape(op), kFewHeld);
}

}  // namespace umbra

// Training in two launches over ranges of channels (engine/cuda/batch_norm_split.h).
#include "engine/cuda/batch_norm_split.h"
#include "engine/ops/batch_norm/cuda_arguments.h"

namespace umbra {

void batch_norm_forward_cuda_2_split(const BatchNormForward& op, Buffers buffers, void* workspace,
                                     Stream& stream) {
  batch_norm_split(arguments_of(op, buffers), workspace, stream);
}

std::size_t batch_norm_forward_cuda_2_workspace(const BatchNormForward& op) {
  return batch_norm_split_workspace(batch_norm_shape(op));
}

void batch_norm_backward_cuda_2_split(const BatchNormBackward& op, Buffers buffers, void* workspace,
                                      Stream& stream) {
  batch_norm_split(arguments_of(op, buffers), workspace, stream);
}

std::size_t batch_norm_backward_cuda_2_workspace(const BatchNormBackward& op) {
  return batch_norm_split_workspace(batch_norm_shape(op));
}

}  // namespace umbra

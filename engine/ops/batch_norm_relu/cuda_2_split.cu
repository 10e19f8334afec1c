// Training in two launches over ranges of channels (engine/cuda/batch_norm_split.h).
#include "engine/cuda/batch_norm_split.h"
#include "engine/ops/batch_norm_relu/cuda_arguments.h"

namespace umbra {

void batch_norm_relu_forward_cuda_2_split(const BatchNormReluForward& op, Buffers buffers, void* workspace,
                                          Stream& stream) {
  batch_norm_split(arguments_of(op, buffers), workspace, stream);
}

std::size_t batch_norm_relu_forward_cuda_2_workspace(const BatchNormReluForward& op) {
  return batch_norm_split_workspace(batch_norm_relu_shape(op));
}

void batch_norm_relu_backward_cuda_2_split(const BatchNormReluBackward& op, Buffers buffers, void* workspace,
                                           Stream& stream) {
  batch_norm_split(arguments_of(op, buffers), workspace, stream);
}

std::size_t batch_norm_relu_backward_cuda_2_workspace(const BatchNormReluBackward& op) {
  return batch_norm_split_workspace(batch_norm_relu_shape(op));
}

}  // namespace umbra

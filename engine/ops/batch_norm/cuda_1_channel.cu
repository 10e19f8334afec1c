// Training, one block per channel, pass by pass (engine/cuda/batch_norm_channel.h).
#include "engine/cuda/batch_norm_channel.h"
#include "engine/ops/batch_norm/cuda_arguments.h"

namespace umbra {

void batch_norm_forward_cuda_1_channel(const BatchNormForward& op, Buffers buffers, void*, Stream& stream) {
  batch_norm_channel(arguments_of(op, buffers), stream);
}

void batch_norm_backward_cuda_1_channel(const BatchNormBackward& op, Buffers buffers, void*, Stream& stream) {
  batch_norm_channel(arguments_of(op, buffers), stream);
}

}  // namespace umbra

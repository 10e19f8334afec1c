// The CUDA rungs of batch_norm.
#include "engine/ops/batch_norm/table_cuda.h"

#include "engine/cuda/channel_cut.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/batch_norm/reference.h"

namespace umbra {

// In the files of these names.
void batch_norm_forward_cuda_1_channel(const BatchNormForward&, Buffers, void*, Stream&);
void batch_norm_forward_cuda_2_split(const BatchNormForward&, Buffers, void*, Stream&);
std::size_t batch_norm_forward_cuda_2_workspace(const BatchNormForward&);
void batch_norm_forward_cuda_3_resident(const BatchNormForward&, Buffers, void*, Stream&);
std::string batch_norm_forward_cuda_3_declines(const BatchNormForward&);
void batch_norm_inference_cuda_1_naive(const BatchNormInference&, Buffers, void*, Stream&);
void batch_norm_inference_cuda_2_channels(const BatchNormInference&, Buffers, void*, Stream&);
void batch_norm_backward_cuda_1_channel(const BatchNormBackward&, Buffers, void*, Stream&);
void batch_norm_backward_cuda_2_split(const BatchNormBackward&, Buffers, void*, Stream&);
std::size_t batch_norm_backward_cuda_2_workspace(const BatchNormBackward&);
void batch_norm_backward_cuda_3_resident(const BatchNormBackward&, Buffers, void*, Stream&);
std::string batch_norm_backward_cuda_3_declines(const BatchNormBackward&);

namespace {

std::string forward_declines(const BatchNormForward& op) {
  const std::string few = needs_two_values(op);
  return few.empty() ? ChannelCut::declines(op.batch, op.volume) : few;
}
std::string resident_forward_declines(const BatchNormForward& op) {
  const std::string reason = forward_declines(op);
  return reason.empty() ? batch_norm_forward_cuda_3_declines(op) : reason;
}
std::string inference_declines(const BatchNormInference& op) {
  return ChannelCut::declines(op.batch, op.volume);
}
std::string backward_declines(const BatchNormBackward& op) {
  const std::string none = needs_a_value(op);
  return none.empty() ? ChannelCut::declines(op.batch, op.volume) : none;
}
std::string resident_backward_declines(const BatchNormBackward& op) {
  const std::string reason = backward_declines(op);
  return reason.empty() ? batch_norm_backward_cuda_3_declines(op) : reason;
}

}  // namespace

std::vector<OpFamily> batch_norm_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"batch_norm_forward",
       {make_kernel<BatchNormForward, batch_norm_forward_cuda_1_channel, forward_declines>(
            "batch_norm_forward", "cuda_1_channel", DType::kF32, kCuda),
        make_kernel<BatchNormForward, batch_norm_forward_cuda_2_split, forward_declines,
                    batch_norm_forward_cuda_2_workspace>("batch_norm_forward", "cuda_2_split", DType::kF32,
                                                         kCuda),
        make_kernel<BatchNormForward, batch_norm_forward_cuda_3_resident, resident_forward_declines>(
            "batch_norm_forward", "cuda_3_resident", DType::kF32, kCuda)},
       nullptr},
      {"batch_norm_inference",
       {make_kernel<BatchNormInference, batch_norm_inference_cuda_1_naive>(
            "batch_norm_inference", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<BatchNormInference, batch_norm_inference_cuda_2_channels, inference_declines>(
            "batch_norm_inference", "cuda_2_channels", DType::kF32, kCuda)},
       nullptr},
      {"batch_norm_backward",
       {make_kernel<BatchNormBackward, batch_norm_backward_cuda_1_channel, backward_declines>(
            "batch_norm_backward", "cuda_1_channel", DType::kF32, kCuda),
        make_kernel<BatchNormBackward, batch_norm_backward_cuda_2_split, backward_declines,
                    batch_norm_backward_cuda_2_workspace>("batch_norm_backward", "cuda_2_split", DType::kF32,
                                                          kCuda),
        make_kernel<BatchNormBackward, batch_norm_backward_cuda_3_resident, resident_backward_declines>(
            "batch_norm_backward", "cuda_3_resident", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra

// The CUDA rungs of batch_norm_relu.
#include "engine/ops/batch_norm_relu/table_cuda.h"

#include "engine/cuda/channel_cut.h"
#include "engine/ops/batch_norm_relu/op.h"
#include "engine/ops/batch_norm_relu/reference.h"

namespace umbra {

// In the files of these names.
void batch_norm_relu_forward_cuda_1_channel(const BatchNormReluForward&, Buffers, void*, Stream&);
void batch_norm_relu_forward_cuda_2_split(const BatchNormReluForward&, Buffers, void*, Stream&);
std::size_t batch_norm_relu_forward_cuda_2_workspace(const BatchNormReluForward&);
void batch_norm_relu_forward_cuda_3_resident(const BatchNormReluForward&, Buffers, void*, Stream&);
std::string batch_norm_relu_forward_cuda_3_declines(const BatchNormReluForward&);
void batch_norm_relu_inference_cuda_1_naive(const BatchNormReluInference&, Buffers, void*, Stream&);
void batch_norm_relu_inference_cuda_2_channels(const BatchNormReluInference&, Buffers, void*, Stream&);
void batch_norm_relu_backward_cuda_1_channel(const BatchNormReluBackward&, Buffers, void*, Stream&);
void batch_norm_relu_backward_cuda_2_split(const BatchNormReluBackward&, Buffers, void*, Stream&);
std::size_t batch_norm_relu_backward_cuda_2_workspace(const BatchNormReluBackward&);
void batch_norm_relu_backward_cuda_3_resident(const BatchNormReluBackward&, Buffers, void*, Stream&);
std::string batch_norm_relu_backward_cuda_3_declines(const BatchNormReluBackward&);

namespace {

std::string forward_declines(const BatchNormReluForward& op) {
  const std::string few = batch_norm_relu_needs_two(op);
  return few.empty() ? ChannelCut::declines(op.outer, op.inner) : few;
}
std::string resident_forward_declines(const BatchNormReluForward& op) {
  const std::string reason = forward_declines(op);
  return reason.empty() ? batch_norm_relu_forward_cuda_3_declines(op) : reason;
}
std::string inference_declines(const BatchNormReluInference& op) {
  return ChannelCut::declines(op.outer, op.inner);
}
std::string backward_declines(const BatchNormReluBackward& op) {
  const std::string none = batch_norm_relu_needs_one(op);
  return none.empty() ? ChannelCut::declines(op.outer, op.inner) : none;
}
std::string resident_backward_declines(const BatchNormReluBackward& op) {
  const std::string reason = backward_declines(op);
  return reason.empty() ? batch_norm_relu_backward_cuda_3_declines(op) : reason;
}

}  // namespace

std::vector<OpFamily> batch_norm_relu_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"batch_norm_relu_forward",
       {make_kernel<BatchNormReluForward, batch_norm_relu_forward_cuda_1_channel, forward_declines>(
            "batch_norm_relu_forward", "cuda_1_channel", DType::kF32, kCuda),
        make_kernel<BatchNormReluForward, batch_norm_relu_forward_cuda_2_split, forward_declines,
                    batch_norm_relu_forward_cuda_2_workspace>("batch_norm_relu_forward", "cuda_2_split",
                                                              DType::kF32, kCuda),
        make_kernel<BatchNormReluForward, batch_norm_relu_forward_cuda_3_resident, resident_forward_declines>(
            "batch_norm_relu_forward", "cuda_3_resident", DType::kF32, kCuda)},
       nullptr},
      {"batch_norm_relu_inference",
       {make_kernel<BatchNormReluInference, batch_norm_relu_inference_cuda_1_naive>(
            "batch_norm_relu_inference", "cuda_1_naive", DType::kF32, kCuda),
        make_kernel<BatchNormReluInference, batch_norm_relu_inference_cuda_2_channels, inference_declines>(
            "batch_norm_relu_inference", "cuda_2_channels", DType::kF32, kCuda)},
       nullptr},
      {"batch_norm_relu_backward",
       {make_kernel<BatchNormReluBackward, batch_norm_relu_backward_cuda_1_channel, backward_declines>(
            "batch_norm_relu_backward", "cuda_1_channel", DType::kF32, kCuda),
        make_kernel<BatchNormReluBackward, batch_norm_relu_backward_cuda_2_split, backward_declines,
                    batch_norm_relu_backward_cuda_2_workspace>("batch_norm_relu_backward", "cuda_2_split",
                                                               DType::kF32, kCuda),
        make_kernel<BatchNormReluBackward, batch_norm_relu_backward_cuda_3_resident,
                    resident_backward_declines>("batch_norm_relu_backward", "cuda_3_resident", DType::kF32,
                                                kCuda)},
       nullptr},
  };
}

}  // namespace umbra

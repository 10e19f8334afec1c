// The CUDA rungs of bias.
#include "engine/ops/bias/table_cuda.h"

#include "engine/cuda/channel_cut.h"
#include "engine/ops/bias/op.h"

namespace umbra {

// In the files of these names.
void bias_forward_cuda_1_naive(const BiasForward&, Buffers, void*, Stream&);
void bias_forward_cuda_2_channels(const BiasForward&, Buffers, void*, Stream&);
void bias_backward_cuda_1_naive(const BiasBackward&, Buffers, void*, Stream&);
void bias_backward_cuda_2_split(const BiasBackward&, Buffers, void*, Stream&);
std::size_t bias_backward_cuda_2_workspace(const BiasBackward&);

namespace {

std::string channels_declines(const BiasForward& op) {
  return ChannelCut::declines(op.batch, op.volume);
}
std::string split_declines(const BiasBackward& op) {
  return ChannelCut::declines(op.batch, op.volume);
}

}  // namespace

std::vector<OpFamily> bias_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  return {
      {"bias_forward",
       {make_kernel<BiasForward, bias_forward_cuda_1_naive>("bias_forward", "cuda_1_naive", DType::kF32,
                                                            kCuda),
        make_kernel<BiasForward, bias_forward_cuda_2_channels, channels_declines>(
            "bias_forward", "cuda_2_channels", DType::kF32, kCuda)},
       nullptr},
      {"bias_backward",
       {make_kernel<BiasBackward, bias_backward_cuda_1_naive>("bias_backward", "cuda_1_naive", DType::kF32,
                                                              kCuda),
        make_kernel<BiasBackward, bias_backward_cuda_2_split, split_declines, bias_backward_cuda_2_workspace>(
            "bias_backward", "cuda_2_split", DType::kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra

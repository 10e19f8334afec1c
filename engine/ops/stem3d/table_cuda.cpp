// The CUDA rungs of the stem.
#include "engine/ops/stem3d/table_cuda.h"

#include "engine/ops/stem3d/op.h"

namespace umbra {

// In cuda_1_naive.cu.
std::string stem3d_forward_cuda_1_declines(const Stem3dForward&);
void stem3d_forward_cuda_1_naive(const Stem3dForward&, Buffers, void*, Stream&);
std::string stem3d_inference_cuda_1_declines(const Stem3dInference&);
void stem3d_inference_cuda_1_naive(const Stem3dInference&, Buffers, void*, Stream&);
std::size_t stem3d_inference_cuda_1_workspace(const Stem3dInference&);
std::string stem3d_backward_cuda_1_declines(const Stem3dBackward&);
void stem3d_backward_cuda_1_naive(const Stem3dBackward&, Buffers, void*, Stream&);
std::size_t stem3d_backward_cuda_1_workspace(const Stem3dBackward&);
// In cuda_2_lanes.cu.
std::string stem3d_forward_cuda_2_declines(const Stem3dForward&);
void stem3d_forward_cuda_2_lanes(const Stem3dForward&, Buffers, void*, Stream&);
std::size_t stem3d_forward_cuda_2_workspace(const Stem3dForward&);
std::string stem3d_inference_cuda_2_declines(const Stem3dInference&);
void stem3d_inference_cuda_2_lanes(const Stem3dInference&, Buffers, void*, Stream&);
std::size_t stem3d_inference_cuda_2_workspace(const Stem3dInference&);
std::string stem3d_backward_cuda_2_declines(const Stem3dBackward&);
void stem3d_backward_cuda_2_lanes(const Stem3dBackward&, Buffers, void*, Stream&);
std::size_t stem3d_backward_cuda_2_workspace(const Stem3dBackward&);

std::vector<OpFamily> stem3d_cuda_families() {
  constexpr Device::Kind kCuda = Device::Kind::kCuda;
  constexpr DType kF32 = DType::kF32;
  return {
      {"stem3d_forward",
       {make_kernel<Stem3dForward, stem3d_forward_cuda_1_naive, stem3d_forward_cuda_1_declines>(
            "stem3d_forward", "cuda_1_naive", kF32, kCuda),
        make_kernel<Stem3dForward, stem3d_forward_cuda_2_lanes, stem3d_forward_cuda_2_declines,
                    stem3d_forward_cuda_2_workspace>("stem3d_forward", "cuda_2_lanes", kF32, kCuda)},
       nullptr},
      {"stem3d_inference",
       {make_kernel<Stem3dInference, stem3d_inference_cuda_1_naive, stem3d_inference_cuda_1_declines,
                    stem3d_inference_cuda_1_workspace>("stem3d_inference", "cuda_1_naive", kF32, kCuda),
        make_kernel<Stem3dInference, stem3d_inference_cuda_2_lanes, stem3d_inference_cuda_2_declines,
                    stem3d_inference_cuda_2_workspace>("stem3d_inference", "cuda_2_lanes", kF32, kCuda)},
       nullptr},
      {"stem3d_backward",
       {make_kernel<Stem3dBackward, stem3d_backward_cuda_1_naive, stem3d_backward_cuda_1_declines,
                    stem3d_backward_cuda_1_workspace>("stem3d_backward", "cuda_1_naive", kF32, kCuda),
        make_kernel<Stem3dBackward, stem3d_backward_cuda_2_lanes, stem3d_backward_cuda_2_declines,
                    stem3d_backward_cuda_2_workspace>("stem3d_backward", "cuda_2_lanes", kF32, kCuda)},
       nullptr},
  };
}

}  // namespace umbra

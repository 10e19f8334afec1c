// The CUDA rung of gather_boxes.
#include "engine/ops/gather_boxes/table_cuda.h"

#include "engine/ops/gather_boxes/op.h"

namespace umbra {

// In the files of these names.
std::string gather_boxes_cuda_declines(const GatherBoxes&);
void gather_boxes_cuda_1_naive(const GatherBoxes&, Buffers, void*, Stream&);

std::vector<OpFamily> gather_boxes_cuda_families() {
  return {
      {"gather_boxes",
       {make_kernel<GatherBoxes, gather_boxes_cuda_1_naive, gather_boxes_cuda_declines>(
           "gather_boxes", "cuda_1_naive", DType::kF32, Device::Kind::kCuda)},
       nullptr},
  };
}

}  // namespace umbra

#include "engine/ops/conv_inference/table.h"

#include "engine/ops/conv_inference/reference.h"
#include "engine/ops/conv_inference/shapes.h"

namespace umbra {

// In cpu_1_tiles.cpp.
std::string conv_inference_tiles_decline(const ConvInference&);
std::size_t conv_inference_tiles_workspace(const ConvInference&);
void conv_inference_tiles(const ConvInference&, Buffers, void*, Stream&);

std::vector<OpFamily> conv_inference_families() {
  constexpr std::string_view kOp = "conv_inference";
  return {{kOp,
           {make_kernel<ConvInference, conv_inference_reference<float>>(kOp, "reference", DType::kF32),
            make_kernel<ConvInference, conv_inference_reference<double>>(kOp, "reference", DType::kF64),
            make_kernel<ConvInference, conv_inference_tiles, conv_inference_tiles_decline,
                        conv_inference_tiles_workspace>(kOp, "cpu_1_tiles", DType::kF32)},
           conv_inference_problems}};
}

}  // namespace umbra

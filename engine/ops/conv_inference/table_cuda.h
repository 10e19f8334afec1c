#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> conv_inference_cuda_families();

}  // namespace umbra

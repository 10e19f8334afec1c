// The fused convolution's ladder, for the registry.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> conv_inference_families();

}  // namespace umbra

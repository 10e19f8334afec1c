#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> stem3d_cuda_families();

}  // namespace umbra

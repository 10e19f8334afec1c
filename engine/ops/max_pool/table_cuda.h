#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> max_pool_cuda_families();

}  // namespace umbra

#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> batch_norm_cuda_families();

}  // namespace umbra

#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> transpose_cuda_families();

}  // namespace umbra

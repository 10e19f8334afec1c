#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> sgd_cuda_families();

}  // namespace umbra

#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> softmax_cross_entropy_cuda_families();

}  // namespace umbra

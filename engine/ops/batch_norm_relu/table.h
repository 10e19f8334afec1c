// The ladder of batch_norm_relu.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> batch_norm_relu_families();

}  // namespace umbra

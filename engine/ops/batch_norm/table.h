// The ladder of batch_norm.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> batch_norm_families();

}  // namespace umbra

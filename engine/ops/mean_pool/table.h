// The ladder of mean_pool.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> mean_pool_families();

}  // namespace umbra

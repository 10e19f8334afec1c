// The ladder of max_pool.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> max_pool_families();

}  // namespace umbra

// The ladder of reduce.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> reduce_families();

}  // namespace umbra

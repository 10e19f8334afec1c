// The ladder of transpose.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> transpose_families();

}  // namespace umbra

// The ladder of affine.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> affine_families();

}  // namespace umbra

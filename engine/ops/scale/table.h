// The ladder of scale.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> scale_families();

}  // namespace umbra

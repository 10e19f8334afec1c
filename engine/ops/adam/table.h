// The ladder of adam.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> adam_families();

}  // namespace umbra

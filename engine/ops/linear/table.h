// The fully connected layer's ladder, for the registry.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> linear_families();

}  // namespace umbra

// The ladder of relu.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> relu_families();

}  // namespace umbra

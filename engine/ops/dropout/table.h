// The ladder of dropout.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> dropout_families();

}  // namespace umbra

// The ladder of add.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> add_families();

}  // namespace umbra

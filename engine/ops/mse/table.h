// The ladder of mse.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> mse_families();

}  // namespace umbra

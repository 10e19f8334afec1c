// The ladder of bias.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> bias_families();

}  // namespace umbra

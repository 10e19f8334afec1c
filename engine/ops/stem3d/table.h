// The ladder of stem3d.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> stem3d_families();

}  // namespace umbra

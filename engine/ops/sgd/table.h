// The ladder of sgd.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> sgd_families();

}  // namespace umbra

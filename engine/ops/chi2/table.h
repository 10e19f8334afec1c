// The ladder of chi2.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> chi2_families();

}  // namespace umbra

#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> peak_families();

}  // namespace umbra

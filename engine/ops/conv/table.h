// The convolution's ladder, for the registry.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> conv_families();

}  // namespace umbra

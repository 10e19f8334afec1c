// The ladders of gradient_norm and clip.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> gradient_norm_families();

}  // namespace umbra

// The ladder of softmax_cross_entropy.
#pragma once

#include <vector>

#include "engine/ops/kernel.h"

namespace umbra {

std::vector<OpFamily> softmax_cross_entropy_families();

}  // namespace umbra

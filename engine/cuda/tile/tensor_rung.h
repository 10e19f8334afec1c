// The four rungs of products on Hopper's tensor cores.
#pragma once

#include <string>

#include "engine/base/precision.h"

namespace umbra {

/// What each adds is told in tensor_product.h.
enum class TensorRung { kWgmma, kTma, kSpecialised, kCluster };

/// Why no tensor rung takes operands of that precision, or the machine's GPU has none; "" when they do.
std::string tensor_declines(Precision precision);

}  // namespace umbra

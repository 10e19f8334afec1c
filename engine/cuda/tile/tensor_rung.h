// The four rungs of products on Hopper's tensor cores.
#pragma once

#include <string>

namespace umbra {

/// What each adds is told in tensor_product.h.
enum class TensorRung { kWgmma, kTma, kSpecialised, kCluster };

/// Why this machine's GPU cannot run any of them, "" when it can.
std::string why_no_wgmma();

}  // namespace umbra

// The four rungs of products on Hopper's tensor cores.
#pragma once

#include <cstdint>
#include <string>

namespace umbra {

/// tensor_product.h describes each.
enum class TensorRung { kWgmma, kTma, kSpecialised, kCluster };

/// Why this machine's GPU cannot run any of them; "" if it can.
std::string why_no_wgmma();

/// Why they do not support sums of so many terms, live taps times depth, or "".
std::string tensor_terms_decline(std::int64_t terms);

}  // namespace umbra

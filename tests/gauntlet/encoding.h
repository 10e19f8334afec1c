// The numbers of a buffer, held as double by the gauntlet, to and from the bytes that a kernel sees.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/base/dtype.h"

namespace umbra::gauntlet {

/// Writes `values`, each rounded to `dtype`, one after the other.
void encode(DType dtype, const std::vector<double>& values, std::byte* to);

std::vector<double> decode(DType dtype, const std::byte* from, std::size_t count);

}  // namespace umbra::gauntlet

// How much memory there is to use.
#pragma once

#include <cstdint>

namespace umbra {

/// Bytes: the machine's memory, or less where this process or its control group (a container, a batch job)
/// may have less.
std::int64_t usable_memory();

}  // namespace umbra

// The memory that this process may use.
#pragma once

#include <cstdint>

namespace umbra {

/// Bytes: the machine's memory, or the limit of this process or of its control group (a container, a batch
/// job) if that is lower.
std::int64_t usable_memory();

}  // namespace umbra

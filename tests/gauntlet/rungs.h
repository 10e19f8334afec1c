// Properties of a rung that tests need.
#pragma once

#include <string>

#include "engine/ops/kernel.h"

namespace umbra::gauntlet {

/// Whether it is the definition of its op, on float or double: it runs on one thread.
bool is_reference(const Kernel& kernel);

/// The reference on double, with which everything is compared; null where the ladder has none.
const Kernel* find_reference(const Ladder& ladder);

/// n of "cpu_n_idea" and "cuda_n_idea"; 0 for others, the reference and peers.
int rung_number(const Kernel& kernel);

/// The name of a rung's test, which is also the filter that repeats it.
std::string test_name(const Kernel& kernel);

}  // namespace umbra::gauntlet

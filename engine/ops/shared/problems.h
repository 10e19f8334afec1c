// A list of problems, for tests and benchmarks. Kernels need none, so it is not in op.h.
#pragma once

#include <memory>
#include <vector>

#include "engine/ops/op.h"

namespace umbra {

struct Problems : std::vector<std::unique_ptr<Op>> {};

}  // namespace umbra

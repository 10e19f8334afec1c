// A build without CUDA kernels: nothing to register.
#include "engine/registry/register_cuda.h"

namespace umbra {

void register_cuda(Registry&) {}

}  // namespace umbra

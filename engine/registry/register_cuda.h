// The one door through which CUDA kernels enter: which definition is linked, that of the CUDA build or the
// empty one in cuda_absent.cpp, is decided by CMake. Everything else asks the registry.
#pragma once

namespace umbra {

class Registry;

/// Adds every CUDA rung of this build to `registry`; adds nothing in a build without CUDA.
void register_cuda(Registry& registry);

}  // namespace umbra

// The CUDA lines of ladder.def.
#include "engine/ops/ladder.h"

namespace umbra {

std::vector<Kernel> cuda_rungs() {
  std::vector<Kernel> kernels;
#define OP(op)
#define CPU(op, rung)
#define CUDA(op, rung) kernels.push_back(listed(op##_##rung(), #op, #rung, Device::Kind::kCuda));
#include "engine/ops/ladder.def"
  return kernels;
}

}  // namespace umbra

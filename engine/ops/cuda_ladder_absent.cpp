// A build without CUDA.
#include "engine/ops/ladder.h"

namespace umbra {

std::vector<Kernel> cuda_rungs() {
  return {};
}

}  // namespace umbra

// A build without CUDA.
#include "bench/gpu_facts.h"

namespace umbra {

GpuFacts gpu_facts(int) {
  return {};
}

}  // namespace umbra

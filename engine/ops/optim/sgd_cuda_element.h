// A step of SGD for one element on a GPU; as in adam_cuda_element.h, fused where the rung cpu_1_simd is and
// nowhere else.
#pragma once

#include "cuda_grid.h"

namespace umbra {

struct SgdNumbers {
  float momentum, weight_decay;
};

/// The new velocity; without momentum, the step.
__device__ inline float sgd_velocity(const SgdNumbers& s, float p, float g, float v) {
  if (s.weight_decay != 0) g = fmaf(s.weight_decay, p, g);
  return s.momentum != 0 ? __fmul_rn(v, s.momentum) + g : g;
}

}  // namespace umbra

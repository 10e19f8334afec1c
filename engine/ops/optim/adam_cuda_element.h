// A step of Adam or AdamW for one element on a GPU. Which operations are fused and which are rounded first
// is stated explicitly and is the same as in the rung cpu_1_simd, so that results are bit-identical.
#pragma once

#include "cuda_grid.h"
#include "engine/ops/optim/adam_scalars.h"

namespace umbra {

__device__ inline void adam_element(const AdamScalars<float>& s, bool decoupled, float g, float& p, float& m,
                                    float& v) {
  if (s.weight_decay != 0 && decoupled) p = __fmul_rn(p, s.shrink);
  if (s.weight_decay != 0 && !decoupled) g = fmaf(s.weight_decay, p, g);
  m = fmaf(s.rest1, g, __fmul_rn(m, s.beta1));
  v = fmaf(__fmul_rn(s.rest2, g), g, __fmul_rn(v, s.beta2));
  p += __fmul_rn(s.minus_step, m) / (sqrtf(v) / s.root_bc2 + s.epsilon);
}

}  // namespace umbra

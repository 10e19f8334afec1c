// A step of SGD for one element on a GPU. As in adam_cuda_element.h, it is fused where the rung cpu_1_simd
// is and nowhere else.
#pragma once

#include "cuda_grid.h"
#include "engine/ops/optim/sgd.h"

namespace umbra {

struct SgdNumbers {
  float momentum, weight_decay;
  bool nesterov;

  explicit SgdNumbers(const SgdRule& rule)
      : momentum(static_cast<float>(rule.momentum)),
        weight_decay(static_cast<float>(rule.weight_decay)),
        nesterov(rule.nesterov) {}
};

/// The address of a tensor's share of its gradient; null without dampening.
inline const double* sgd_share(const SgdStep& op, std::size_t tensor, const double* scalars) {
  return op.rule.dampened ? scalars + op.tensors[tensor].share_at : nullptr;
}

/// Updates p and, with momentum, v.
__device__ inline void sgd_element(const SgdNumbers& s, float minus_lr, float share, float& p, float g,
                                   float& v) {
  if (s.weight_decay != 0) g = fmaf(s.weight_decay, p, g);
  if (s.momentum != 0) {
    v = fmaf(share, g, __fmul_rn(v, s.momentum));
    g = s.nesterov ? fmaf(s.momentum, v, g) : v;
  }
  p = fmaf(minus_lr, g, p);
}

}  // namespace umbra

// How far a correct kernel may be from the double-precision reference.
//
// An output y is computed from exact inputs by roundings, each of relative size u at most (u = 2^-24 for
// float, 2^-53 for double) of a term, so to first order  |error| <= u sum_j |term_j| n_j  with n_j the
// roundings term j takes part in. With M = sum_j |term_j|, the *magnitude* of y:
//  - a sum of K terms in any order has n_j <= K. Roundings are as good as independent and of zero mean, for
//  which
//    Higham & Mary (2019, SIAM J. Sci. Comput. 41, A2815, theorem 2.4) give  |error| <= lambda sqrt(K) u M
//    except with probability 2 K exp(-lambda^2 / 2): below 1e-8 for lambda = 8 and K = 1e5. Linear growth in
//    K would be so wide for K > 1 / sqrt(u) = 4096 that a missing term could hide in it;
//  - the few operations before and after the sum add a constant, at most 8 here.
// Hence  tolerance = u (8 + 8 sqrt(K)) M,  K = Op::sum_length(), u that of the output buffer, plus the
// smallest normal number, below which floats have no relative accuracy.
//
// The magnitude of an op that is linear in each of its inputs (convolution, linear, bias, pooling, …) or
// picks among them (relu, max pooling) is the op itself on the inputs' absolute values. That of any other is
// written out in its rules (OpRules::bound).
#pragma once

#include <cmath>
#include <vector>

#include "engine/base/dtype.h"
#include "engine/ops/op.h"

namespace umbra::gauntlet {

using Values = std::vector<std::vector<double>>;  // one list per buffer

struct Bound {
  Values magnitude;   // for output buffers
  double growth = 0;  // tolerance = u growth magnitude
};

inline double usual_growth(const Op& op) {
  return 8 + 8 * std::sqrt(op.sum_length());
}

inline double unit_roundoff(DType dtype) {
  return dtype == DType::kF32 ? 0x1p-24 : 0x1p-53;
}

inline std::vector<double> absolutes(std::vector<double> values) {
  for (double& value : values) value = std::abs(value);
  return values;
}

inline Values magnitudes_of_outputs(const Values& want) {
  Values magnitude = want;
  for (auto& list : magnitude) list = absolutes(std::move(list));
  return magnitude;
}

}  // namespace umbra::gauntlet

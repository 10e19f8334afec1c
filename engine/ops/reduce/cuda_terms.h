// The term of a number in each of the reductions.
#pragma once

#include <cmath>

#include "cuda_grid.h"

namespace umbra {

struct SumTerm {
  using Total = double;
  __device__ double operator()(float x) const { return x; }
};
struct SquareTerm {
  using Total = double;
  __device__ double operator()(float x) const { return static_cast<double>(x) * x; }
};
struct NonfiniteTerm {
  using Total = std::int64_t;
  __device__ std::int64_t operator()(float x) const { return x - x == 0 ? 0 : 1; }  // inf - inf is NaN
};

}  // namespace umbra

// The problems on which the rungs of softmax with cross entropy are tested and timed.
#pragma once

#include "engine/ops/shape_lists.h"
#include "engine/ops/softmax_cross_entropy/op.h"

namespace umbra {

inline Problems softmax_cross_entropy_problems(DType dtype) {
  return problems_of_matrices<SoftmaxCrossEntropy>(dtype);
}

}  // namespace umbra

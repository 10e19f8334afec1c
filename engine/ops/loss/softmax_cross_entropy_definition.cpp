// The definition of softmax with cross entropy and the problems on which its rungs are tested and timed.
#include "engine/ops/ladder.h"
#include "engine/ops/loss/softmax_cross_entropy_reference.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {

Ladder softmax_cross_entropy_definition() {
  return define_op<SoftmaxCrossEntropy, softmax_cross_entropy_reference<float>,
                   softmax_cross_entropy_reference<double>>(problems_of_matrices<SoftmaxCrossEntropy>);
}

}  // namespace umbra

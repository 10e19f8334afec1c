// The definitions of global average pooling and the problems on which its rungs are tested and timed.
#include "engine/ops/kernel.h"
#include "engine/ops/pool/mean_pool_reference.h"
#include "engine/ops/shared/shape_lists.h"

namespace umbra {

Ladder mean_pool_forward_definition() {
  return define_op<MeanPoolForward, mean_pool_forward_reference<float>, mean_pool_forward_reference<double>>(
      problems_of_channels<MeanPoolForward>);
}
Ladder mean_pool_backward_definition() {
  return define_op<MeanPoolBackward, mean_pool_backward_reference<float>,
                   mean_pool_backward_reference<double>>(problems_of_channels<MeanPoolBackward>);
}

}  // namespace umbra

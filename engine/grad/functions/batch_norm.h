// What the two functions of batch norm share: batch_norm.cpp, over the samples of this process, and shared_batch_norm.cpp,
// over a batch of which several processes compute a part each.
#pragma once

#include "engine/grad/functions.h"
#include "engine/ops/batch_norm/op.h"

namespace umbra {

/// The view [outer, channels, inner] that the ops use. The samples are the outer or the inner axis.
struct BatchNormView {
  explicit BatchNormView(const Tensor& x)
      : outer(x.row_major() ? x.shape()[0] : x.shape().count_from(2)),
        channels(x.shape()[1]),
        inner(x.row_major() ? x.shape().count_from(2) : x.shape()[0]) {}
  std::int64_t outer;     ///< samples, or positions in batch-last layout
  std::int64_t channels;  ///< C
  std::int64_t inner;     ///< positions, or samples in batch-last layout
};

/// Batch norm in training with the statistics of the whole batch. Its inputs are x, gamma, beta and, if the options have
/// one, the residual. `group` must outlive it.
std::shared_ptr<const Function> shared_batch_norm(Communicator& group, const BatchNormState& state,
                                                  BatchNormOptions options);

}  // namespace umbra

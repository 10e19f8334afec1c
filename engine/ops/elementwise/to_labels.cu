// The CUDA rung of to_labels.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/elementwise/to_labels.h"

namespace umbra {
namespace {

__global__ void to_labels_each(std::int64_t count, const float* x, std::int32_t* y) {
  const std::int64_t i = thread_number();
  if (i < count) y[i] = static_cast<std::int32_t>(x[i]);
}

void run(const ToLabels& op, Buffers b, void*, Stream& stream) {
  launch(to_labels_each, one_thread_each(op.count), stream.native(), op.count, b.in(0),
         b.out<std::int32_t>(1));
}

}  // namespace

Kernel to_labels_cuda_1_naive() {
  return make_kernel<ToLabels, run>();
}

}  // namespace umbra

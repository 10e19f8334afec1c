// One thread per element.
#include "engine/cuda/indexing.h"
#include "engine/ops/add/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

__global__ void add_each(const float* a, const float* b, float* y, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i < count) y[i] = a[i] + b[i];
}

}  // namespace

void add_cuda_1_naive(const Add& op, Buffers buffers, void*, Stream& stream) {
  launch(add_each, one_thread_each(op.count), stream.native(), static_cast<const float*>(buffers[0]),
         static_cast<const float*>(buffers[1]), static_cast<float*>(buffers[2]), op.count);
}

}  // namespace umbra

// One thread per element.
#include "engine/cuda/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/scale/op.h"

namespace umbra {
namespace {

__global__ void scale_each(float* x, const float* factor, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i < count) x[i] = *factor * x[i];
}

__global__ void set_each(float* x, float value, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i < count) x[i] = value;
}

}  // namespace

void scale_cuda_1_naive(const Scale& op, Buffers buffers, void*, Stream& stream) {
  launch(scale_each, one_thread_each(op.count), stream.native(), static_cast<float*>(buffers[0]),
         static_cast<const float*>(buffers[1]), op.count);
}

void set_value_cuda_1_naive(const SetValue& op, Buffers buffers, void*, Stream& stream) {
  launch(set_each, one_thread_each(op.count), stream.native(), static_cast<float*>(buffers[0]),
         static_cast<float>(op.value), op.count);
}

}  // namespace umbra

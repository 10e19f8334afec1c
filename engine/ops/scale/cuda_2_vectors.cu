// Four elements per thread in 16-byte loads and stores (engine/cuda/elementwise.h).
#include "engine/cuda/elementwise.h"
#include "engine/ops/kernel.h"
#include "engine/ops/scale/op.h"

namespace umbra {
namespace {

struct Scaled {
  const float* factor;
  __device__ float operator()(float x) const { return *factor * x; }
};
struct Constant {
  float value;
  __device__ float operator()() const { return value; }
};

}  // namespace

void scale_cuda_2_vectors(const Scale& op, Buffers buffers, void*, Stream& stream) {
  auto* x = static_cast<float*>(buffers[0]);
  map_elements(Scaled{static_cast<const float*>(buffers[1])}, op.count, stream, x,
               static_cast<const float*>(x));
}

void set_value_cuda_2_vectors(const SetValue& op, Buffers buffers, void*, Stream& stream) {
  map_elements(Constant{static_cast<float>(op.value)}, op.count, stream, static_cast<float*>(buffers[0]));
}

}  // namespace umbra

// Four elements per thread in 16-byte loads and stores (engine/cuda/elementwise.h).
#include "engine/cuda/elementwise.h"
#include "engine/ops/kernel.h"
#include "engine/ops/relu/op.h"

namespace umbra {
namespace {

struct Rectified {
  __device__ float operator()(float x) const { return x <= 0 ? 0 : x; }  // a NaN passes
};
struct Gated {
  __device__ float operator()(float dy, float y) const { return y > 0 ? dy : 0; }
};

}  // namespace

void relu_forward_cuda_2_vectors(const ReluForward& op, Buffers buffers, void*, Stream& stream) {
  map_elements(Rectified{}, op.count, stream, static_cast<float*>(buffers[1]),
               static_cast<const float*>(buffers[0]));
}

void relu_backward_cuda_2_vectors(const ReluBackward& op, Buffers buffers, void*, Stream& stream) {
  map_elements(Gated{}, op.count, stream, static_cast<float*>(buffers[2]),
               static_cast<const float*>(buffers[0]), static_cast<const float*>(buffers[1]));
}

}  // namespace umbra

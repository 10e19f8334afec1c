// Forward: a thread stays in its channel (engine/cuda/channel_map.h).
#include "engine/cuda/channel_map.h"
#include "engine/ops/bias/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

struct Shifted {
  float by;
  __device__ float operator()(float x) const { return x + by; }
};
struct Biases {
  const float* bias;  // [C]
  __device__ Shifted of(std::int64_t c) const { return {bias[c]}; }
};

}  // namespace

void bias_forward_cuda_2_channels(const BiasForward& op, Buffers buffers, void*, Stream& stream) {
  map_channels(Biases{static_cast<const float*>(buffers[1])}, op.batch, op.channels, op.volume, stream,
               static_cast<const float*>(buffers[0]), static_cast<float*>(buffers[2]));
}

}  // namespace umbra

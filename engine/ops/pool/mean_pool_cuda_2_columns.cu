// The columns of the matrix [S, C N]. Forward, eight warps share 32 columns and add their sums in a fixed
// order: eight times as many reads are in flight as with one thread per column. Backward, a thread stays in
// its column (engine/ops/shared/cuda_channel_map.h).
#include "engine/ops/kernel.h"
#include "engine/ops/pool/mean_pool.h"
#include "engine/ops/shared/cuda_channel_map.h"

namespace umbra {
namespace {

// x: [S, C, N]; y: [C, N]
template <int kWidth>
__global__ void __launch_bounds__(kElementThreads)
    mean_pool_columns(ChannelCut cut, const float* x, float* y, double volume, bool aligned) {
  double sum = 0;
  each_unit<4>(
      cut, my_walk(cut), [&](std::int64_t at) { return load_unit<kWidth>(x + at, aligned); },
      [&](std::int64_t, const Unit<kWidth>& unit) {
        for (float value : unit.v) sum += value;
      });
  sum = channel_sum(cut, sum, &shared_memory<double>());
  if (is_speaker(cut)) y[cut.channel(threadIdx.x, blockIdx.x)] = static_cast<float>(sum / volume);
}

struct Constant {
  float value;
  __device__ float operator()(float) const { return value; }
};
struct Shares {
  const float* dy;  // [C, N]
  double volume;
  __device__ Constant of(std::int64_t cn) const { return {static_cast<float>(dy[cn] / volume)}; }
};

template <class O>
std::string declines(const O& op) {
  return ChannelCut::declines(op.volume, 1);
}

void forward(const MeanPoolForward& op, Buffers buffers, void*, Stream& stream) {
  const float* x = buffers.in(0);
  const ChannelCut cut = ChannelCut::whole(op.volume, op.channels * op.batch, 1, kElementThreads);
  launch(cut.width == 4 ? mean_pool_columns<4> : mean_pool_columns<1>, channel_grid(cut, 1), stream.native(),
         cut, x, buffers.out(1), static_cast<double>(op.volume), aligned_to_16(x));
}

void backward(const MeanPoolBackward& op, Buffers buffers, void*, Stream& stream) {
  const Shares shares{buffers.in(0), static_cast<double>(op.volume)};
  map_channels(shares, op.volume, op.channels * op.batch, 1, stream, nullptr, buffers.out(1));
}

}  // namespace

Kernel mean_pool_forward_cuda_2_columns() {
  return make_kernel<MeanPoolForward, forward, declines<MeanPoolForward>>();
}
Kernel mean_pool_backward_cuda_2_columns() {
  return make_kernel<MeanPoolBackward, backward, declines<MeanPoolBackward>>();
}

}  // namespace umbra

// Training in one launch that reads every number once: a channel fits into the registers of one block of up
// to 1024 threads, which holds it from the first sum to the result. This applies to every layer of the
// network but the first; in these layers a second read, a second launch and a partial sum in memory would
// each cost as much as the arithmetic.
//
// Forward computes the mean before the distances from it, as in cuda_1_channel.cu, but without reading the
// numbers again.
#include "engine/ops/batch_norm/cuda_arithmetic.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

constexpr unsigned kFewHeld = 8, kManyHeld = 16;  // numbers of x per thread

/// Threads per block for `held` numbers per thread; 0 when a channel is too large for a block. Numbers that
/// are not loaded in fours need more registers for their addresses: at most kFewHeld of them.
unsigned threads_for(const BatchNormOp& op, unsigned held) {
  for (unsigned threads : {256u, 512u, 1024u}) {
    const ChannelCut cut = ChannelCut::whole(op.outer, op.channels, op.inner, threads);
    const unsigned units = (cut.width == 4 ? held : std::min(held, kFewHeld)) / cut.width;
    if (cut.units <= static_cast<std::int64_t>(cut.step) * units) return threads;
  }
  return 0;
}

/// Calls use(k, at) for the k-th unit of this thread, k < kUnits; k is known to the compiler once the loop is
/// unrolled.
template <int kUnits, class Use>
__device__ void each_held(const ChannelCut& cut, ChannelWalk walk, const Use& use) {
  for (int k = 0; k < kUnits; ++k) {
    if (walk.more()) use(k, walk.at);
    cut.next(walk);
  }
}

template <int kWidth, int kHeld>
__global__ void __launch_bounds__(1024)
    batch_norm_forward_resident(ChannelCut cut, BatchNormForwardArguments a, bool aligned) {
  constexpr int kUnits = kHeld / kWidth;
  constexpr bool kEarly = kHeld == kFewHeld;   // load the residual with x if registers are left
  double* scratch = &shared_memory<double>();  // [3][cut.scratch()]
  const ChannelWalk walk = my_walk(cut);
  const double count = cut.split_elements(0);

  ForwardUnit<kWidth> in[kUnits]{};
  const auto load_other = [&](int k, std::int64_t at) {
    in[k].residual = load_residual<kWidth>(a.residual, at, aligned);
  };
  each_held<kUnits>(cut, walk, [&](int k, std::int64_t at) {
    in[k].x = load_unit<kWidth>(a.x + at, aligned);
    if constexpr (kEarly) load_other(k, at);
  });
  double sum = 0;
  each_held<kUnits>(cut, walk, [&](int k, std::int64_t) {
    for (int e = 0; e < kWidth; ++e) sum += in[k].x.v[e];
  });
  const double mean = channel_sum(cut, sum, scratch) / count;

  double distances = 0, squares = 0;
  each_held<kUnits>(cut, walk, [&](int k, std::int64_t) {
    for (int e = 0; e < kWidth; ++e) {
      const double distance = in[k].x.v[e] - mean;
      distances += distance;
      squares = std::fma(distance, distance, squares);
    }
  });
  distances = channel_sum(cut, distances, scratch + cut.scratch());
  squares = channel_sum(cut, squares, scratch + 2 * cut.scratch());
  const double var = (squares - distances * distances / count) / count;
  if (!walk.more()) return;

  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  const ChannelMap map = finish_statistics(a, c, mean, var, count, is_speaker(cut));
  each_held<kUnits>(cut, walk, [&](int k, std::int64_t at) {
    if constexpr (!kEarly) load_other(k, at);
    store_forward(a, map, at, in[k], aligned);
  });
}

template <int kWidth, int kHeld>
__global__ void __launch_bounds__(1024)
    batch_norm_backward_resident(ChannelCut cut, BatchNormBackwardArguments a, bool aligned) {
  constexpr int kUnits = kHeld / kWidth;
  double* scratch = &shared_memory<double>();  // [2][cut.scratch()]
  const ChannelWalk walk = my_walk(cut);
  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);

  BackwardUnit<kWidth> in[kUnits]{};
  each_held<kUnits>(cut, walk,
                    [&](int k, std::int64_t at) { in[k] = load_backward<kWidth>(a, at, aligned); });
  const float mean = walk.more() ? a.mean[c] : 0;
  double sum = 0, sum_centred = 0;
  each_held<kUnits>(cut, walk, [&](int k, std::int64_t at) {
    if (a.dresidual != nullptr) store_unit(a.dresidual + at, in[k].g, aligned);
    add_backward(in[k], mean, sum, sum_centred);
  });
  sum = channel_sum(cut, sum, scratch);
  sum_centred = channel_sum(cut, sum_centred, scratch + cut.scratch());
  if (!walk.more()) return;

  const ChannelGradient gradient =
      finish_gradient(a, c, sum, sum_centred, cut.split_elements(0), is_speaker(cut));
  each_held<kUnits>(cut, walk,
                    [&](int k, std::int64_t at) { store_backward(a, gradient, at, in[k], aligned); });
}

void forward(const BatchNormForward& op, Buffers buffers, void*, Stream& stream) {
  const BatchNormForwardArguments a = arguments_of(op, buffers);
  const unsigned few = threads_for(op, kFewHeld);
  const unsigned threads = few != 0 ? few : threads_for(op, kManyHeld);
  const ChannelCut cut = ChannelCut::whole(op.outer, op.channels, op.inner, threads);
  const auto few_kernel =
      cut.width == 4 ? batch_norm_forward_resident<4, kFewHeld> : batch_norm_forward_resident<1, kFewHeld>;
  launch(few != 0 ? few_kernel : batch_norm_forward_resident<4, kManyHeld>, channel_grid(cut, 3),
         stream.native(), cut, a, a.aligned());
}

void backward(const BatchNormBackward& op, Buffers buffers, void*, Stream& stream) {
  const BatchNormBackwardArguments a = arguments_of(op, buffers);
  const ChannelCut cut = ChannelCut::whole(op.outer, op.channels, op.inner, threads_for(op, kFewHeld));
  launch(
      cut.width == 4 ? batch_norm_backward_resident<4, kFewHeld> : batch_norm_backward_resident<1, kFewHeld>,
      channel_grid(cut, 2), stream.native(), cut, a, a.aligned());
}

std::string too_large(const BatchNormOp& op, unsigned held) {
  return threads_for(op, held) != 0 ? "" : "it supports only channels that fit into one block's registers";
}
std::string resident_forward_declines(const BatchNormForward& op) {
  const std::string reason = forward_declines(op);
  return reason.empty() ? too_large(op, kManyHeld) : reason;
}
std::string resident_backward_declines(const BatchNormBackward& op) {
  const std::string reason = backward_declines(op);
  return reason.empty() ? too_large(op, kFewHeld) : reason;
}

}  // namespace

Kernel batch_norm_forward_cuda_3_resident() {
  return make_kernel<BatchNormForward, forward, resident_forward_declines>();
}
Kernel batch_norm_backward_cuda_3_resident() {
  return make_kernel<BatchNormBackward, backward, resident_backward_declines>();
}

}  // namespace umbra

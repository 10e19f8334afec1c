// The gradient with running statistics in two launches: every channel is cut into ranges with a block each.
// The first writes dx and dresidual, which do not depend on the sums, and the two sums of every range to
// the workspace; the second adds those of each channel in order.
#include "engine/ops/batch_norm/cuda_arithmetic.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

struct FrozenArguments : BatchNormBackwardArguments {  // invstd is null
  const float* running_var;                            // [C]
  double epsilon;

  __device__ double inverse(std::int64_t c) const {
    return 1 / std::sqrt(static_cast<double>(running_var[c]) + epsilon);
  }
};

/// A range's sums of g and of g (x - mean).
struct FrozenPart {
  double sum, sum_centred;
};

/// Ranges of 32 units of four per thread, as in cuda_2_split.
ChannelCut ranges(const BatchNormOp& op) {
  return {op.outer, op.channels, op.inner, kBatchNormThreads, 32 * kBatchNormThreads, 512};
}

std::size_t workspace_bytes(const BatchNormFrozenBackward& op) {
  const ChannelCut cut = ranges(op);
  return static_cast<std::size_t>(cut.channels) * cut.splits * sizeof(FrozenPart);
}

template <int kWidth>
__global__ void __launch_bounds__(kBatchNormThreads)
    batch_norm_frozen_parts(ChannelCut cut, FrozenArguments a, bool aligned, FrozenPart* parts) {
  double* scratch = &shared_memory<double>();  // [2][cut.scratch()]
  const ChannelWalk walk = my_walk(cut);
  const std::int64_t c = cut.channel(threadIdx.x, blockIdx.x);
  const float mean = walk.more() ? a.mean[c] : 0;
  const float scale = walk.more() ? static_cast<float>(a.gamma[c] * a.inverse(c)) : 0;
  double sum = 0, sum_centred = 0;
  each_unit<1>(
      cut, walk, [&](std::int64_t at) { return load_backward<kWidth>(a, at, aligned); },
      [&](std::int64_t at, const BackwardUnit<kWidth>& in) {
        if (a.dresidual != nullptr) store_unit(a.dresidual + at, in.g, aligned);
        Unit<kWidth> dx{};
        for (int k = 0; k < kWidth; ++k) dx.v[k] = in.g.v[k] * scale;
        store_unit(a.dx + at, dx, aligned);
        add_backward(in, mean, sum, sum_centred);
      });
  sum = channel_sum(cut, sum, scratch);
  sum_centred = channel_sum(cut, sum_centred, scratch + cut.scratch());
  if (is_speaker(cut)) parts[c * cut.splits + blockIdx.y] = {sum, sum_centred};
}

// One thread per channel.
__global__ void __launch_bounds__(kElementThreads)
    batch_norm_frozen_finish(FrozenArguments a, const FrozenPart* parts, unsigned splits) {
  const std::int64_t c = thread_number();
  if (c >= a.shape.channels) return;
  double sum = 0, sum_centred = 0;
  for (unsigned s = 0; s < splits; ++s) {
    sum += parts[c * splits + s].sum;
    sum_centred += parts[c * splits + s].sum_centred;
  }
  a.dbeta[c] = static_cast<float>(sum);
  a.dgamma[c] = static_cast<float>(sum_centred * a.inverse(c));
}

FrozenArguments arguments_of(const BatchNormFrozenBackward& op, Buffers b) {
  return {{{op.outer, op.channels, op.inner},
           b.in(0),
           b.in(1),
           op.options.relu ? b.in(2) : nullptr,
           b.in(3),
           b.in(4),
           nullptr,
           b.out(6),
           b.out(7),
           b.out(8),
           op.options.residual ? b.out(9) : nullptr},
          b.in(5),
          op.epsilon};
}

void run(const BatchNormFrozenBackward& op, Buffers buffers, void* workspace, Stream& stream) {
  const FrozenArguments a = arguments_of(op, buffers);
  const ChannelCut cut = ranges(op);
  auto* parts = static_cast<FrozenPart*>(workspace);  // [C, splits]
  launch(cut.width == 4 ? batch_norm_frozen_parts<4> : batch_norm_frozen_parts<1>, channel_grid(cut, 2),
         stream.native(), cut, a, a.aligned(), parts);
  launch(batch_norm_frozen_finish, one_thread_each(op.channels), stream.native(), a, parts, cut.splits);
}

std::string declines(const BatchNormFrozenBackward& op) {
  return ChannelCut::declines(op.outer, op.inner);
}

}  // namespace

Kernel batch_norm_frozen_backward_cuda_2_split() {
  return make_kernel<BatchNormFrozenBackward, run, declines, workspace_bytes>();
}

}  // namespace umbra

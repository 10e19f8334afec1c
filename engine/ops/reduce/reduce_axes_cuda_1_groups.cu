// A thread, a warp or a block per output, depending on the shape: its threads process the terms in turn and
// combine their results in a fixed order. Backward, the same threads write the gradients of the terms; for
// max and min they count the ties first.
#include "engine/cuda/tile/block_fold.h"
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/reduce/reduce_axes.h"

namespace umbra {
namespace {

template <AxisReduction kHow>
struct AxisFold {
  __device__ double operator()(double a, double b) const { return folded(kHow, a, b); }
};

/// The threads of an output.
struct Group {
  std::int64_t output;
  unsigned lane, lanes;
};
__device__ Group my_group(unsigned lanes) {
  return {thread_number() / lanes, threadIdx.x % lanes, lanes};
}

/// Folds over the threads of a group; all threads of the block must call it.
template <class Fold>
__device__ double group_fold(double value, const Group& group, const Fold& fold) {
  if (group.lanes == 1) return value;
  if (group.lanes == kWarp) return warp_fold(value, fold);
  return block_fold(value, &shared_memory<double>(), fold);
}

// x: as `index` says; y [outputs]
template <AxisReduction kHow>
__global__ void __launch_bounds__(kElementThreads)
    reduce_axes_fold(AxesIndex index, const float* x, float* y, std::int64_t outputs, std::int64_t terms,
                     unsigned lanes, double divisor) {
  const Group group = my_group(lanes);
  double value = fold_start(kHow);
  if (group.output < outputs) {
    const float* mine = x + index.first(group.output);
    for (std::int64_t t = group.lane; t < terms; t += lanes)
      value = AxisFold<kHow>()(value, mine[index.step(t)]);
  }
  value = group_fold(value, group, AxisFold<kHow>());
  if (group.output < outputs && group.lane == 0) y[group.output] = static_cast<float>(value / divisor);
}

// dy, y [outputs]; x, dx: as `index` says. Without x every term gets dy / divisor.
__global__ void __launch_bounds__(kElementThreads)
    reduce_axes_spread(AxesIndex index, const float* dy, const float* x, const float* y, float* dx,
                       std::int64_t outputs, std::int64_t terms, unsigned lanes, double divisor) {
  const Group group = my_group(lanes);
  const bool inside = group.output < outputs;
  const std::int64_t first = inside ? index.first(group.output) : 0;
  const float own = inside && x != nullptr ? y[group.output] : 0;
  if (x != nullptr) {
    double ties = 0;
    for (std::int64_t t = group.lane; inside && t < terms; t += lanes)
      ties += x[first + index.step(t)] == own ? 1 : 0;
    divisor = group_fold(ties, group, PlusFold());
  }
  if (!inside) return;
  const auto share = static_cast<float>(dy[group.output] / divisor);
  const auto rest = static_cast<float>(0 / divisor);  // 0, but NaN where nothing ties because y is NaN
  for (std::int64_t t = group.lane; t < terms; t += lanes) {
    const std::int64_t at = first + index.step(t);
    dx[at] = x == nullptr || x[at] == own ? share : rest;
  }
}

/// Threads of a group: one where terms are few, or where there are enough neighbouring outputs with
/// neighbouring terms; a block where outputs are few.
unsigned lanes_of(const AxesGeometry& g) {
  const bool side_by_side = g.extents[6] > 1 && g.outputs() >= 1 << 12;
  if (side_by_side || g.terms() <= 8) return 1;
  return g.terms() <= 1 << 10 || g.outputs() >= 1 << 10 ? kWarp : kElementThreads;
}

Grid grid_of(const AxesGeometry& g) {
  Grid grid = one_thread_each(g.outputs() * lanes_of(g));
  grid.shared = kElementThreads / kWarp * sizeof(double);
  return grid;
}

void forward(const ReduceAxesForward& op, Buffers b, void*, Stream& stream) {
  const auto start = [&](auto kernel) {
    launch(kernel, grid_of(op.geometry), stream.native(), AxesIndex(op.geometry), b.in(0), b.out(1),
           op.geometry.outputs(), op.geometry.terms(), lanes_of(op.geometry), op.divisor());
  };
  if (op.how == AxisReduction::kMax) return start(reduce_axes_fold<AxisReduction::kMax>);
  if (op.how == AxisReduction::kMin) return start(reduce_axes_fold<AxisReduction::kMin>);
  start(reduce_axes_fold<AxisReduction::kSum>);
}

void backward(const ReduceAxesBackward& op, Buffers b, void*, Stream& stream) {
  const bool picked = picks(op.how);
  launch(reduce_axes_spread, grid_of(op.geometry), stream.native(), AxesIndex(op.geometry), b.in(0),
         picked ? b.in(1) : nullptr, picked ? b.in(2) : nullptr, b.out(3), op.geometry.outputs(),
         op.geometry.terms(), lanes_of(op.geometry), op.divisor());
}

}  // namespace

Kernel reduce_axes_forward_cuda_1_groups() {
  return make_kernel<ReduceAxesForward, forward>();
}
Kernel reduce_axes_backward_cuda_1_groups() {
  return make_kernel<ReduceAxesBackward, backward>();
}

}  // namespace umbra

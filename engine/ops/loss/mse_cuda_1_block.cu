// One block, loss and gradient in one launch (engine/ops/loss/cuda_loss_block.h); one thread per element
// where nothing is reduced.
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/loss/cuda_loss_block.h"
#include "engine/ops/loss/mse.h"

namespace umbra {
namespace {

struct SquaredError {
  __device__ LossTerm operator()(double p, double t, std::int64_t) const {
    return {(p - t) * (p - t), 2 * (p - t)};
  }
};

// p, t, loss, dp: [N, K]
__global__ void __launch_bounds__(kElementThreads)
    squared_errors_each(const float* p, const float* t, float* loss, float* dp, std::int64_t count) {
  const std::int64_t i = thread_number();
  if (i >= count) return;
  const LossTerm term = SquaredError{}(p[i], t[i], 0);
  loss[i] = static_cast<float>(term.value);
  dp[i] = static_cast<float>(term.gradient);
}

void run(const MeanSquaredError& op, Buffers buffers, void*, Stream& stream) {
  if (op.reduce == Reduce::kNone) {
    const std::int64_t count = op.rows * op.columns;
    launch(squared_errors_each, one_thread_each(count), stream.native(), buffers.in(0), buffers.in(1),
           buffers.out(2), buffers.out(3), count);
    return;
  }
  launch_loss(SquaredError{}, stream, buffers.in(0), buffers.in(1), buffers.out(2), buffers.out(3), op.rows,
              op.columns, op.divisor());
}

}  // namespace

Kernel mean_squared_error_cuda_1_block() {
  return make_kernel<MeanSquaredError, run>();
}

}  // namespace umbra

// One block, loss and gradient in one launch (engine/ops/loss/cuda_squared_error.h).
#include "engine/ops/ladder.h"
#include "engine/ops/loss/cuda_squared_error.h"
#include "engine/ops/loss/mse.h"

namespace umbra {
namespace {

struct SquaredError {
  __device__ LossTerm operator()(double p, double t, std::int64_t) const { return {p - t, 2 * (p - t)}; }
};

void run(const MeanSquaredError& op, Buffers buffers, void*, Stream& stream) {
  launch_loss(SquaredError{}, stream, buffers.in(0), buffers.in(1), buffers.out(2), buffers.out(3), op.rows,
              op.columns, static_cast<double>(op.rows * op.columns));
}

}  // namespace

Kernel mean_squared_error_cuda_1_block() {
  return make_kernel<MeanSquaredError, run>();
}

}  // namespace umbra

// One block, loss and gradient in one launch (engine/cuda/loss_block.h).
#include "engine/cuda/loss_block.h"
#include "engine/ops/kernel.h"
#include "engine/ops/mse/op.h"

namespace umbra {
namespace {

struct SquaredError {
  __device__ LossTerm operator()(double p, double t, std::int64_t) const { return {p - t, 2 * (p - t)}; }
};

}  // namespace

void mean_squared_error_cuda_1_block(const MeanSquaredError& op, Buffers buffers, void*, Stream& stream) {
  launch_loss(SquaredError{}, stream, static_cast<const float*>(buffers[0]),
              static_cast<const float*>(buffers[1]), static_cast<float*>(buffers[2]),
              static_cast<float*>(buffers[3]), op.rows, op.columns,
              static_cast<double>(op.rows * op.columns));
}

}  // namespace umbra

// One block, loss and gradient in one launch (engine/ops/loss/cuda_loss_block.h).
#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/cuda_loss_block.h"
#include "engine/ops/loss/poisson.h"

namespace umbra {
namespace {

struct PoissonTerm {
  double exposure, smallest, log_smallest;
  __device__ LossTerm operator()(double p, double t, std::int64_t) const {
    const double mu = exposure * p, k = exposure * t;
    const bool above = mu >= smallest;
    const double log_mu = above ? std::log(mu) : log_smallest + (mu - smallest) / smallest;
    return {mu - k * log_mu, exposure * (1 - k / (above ? mu : smallest))};
  }
};

void run(const Poisson& op, Buffers b, void*, Stream& stream) {
  const PoissonTerm term{op.exposure, Poisson::kSmallestMean, std::log(Poisson::kSmallestMean)};
  launch_loss(term, stream, b.in(0), b.in(1), b.out(2), b.out(3), op.rows, op.columns,
              static_cast<double>(op.rows));
}

}  // namespace

Kernel poisson_cuda_1_block() {
  return make_kernel<Poisson, run>();
}

}  // namespace umbra

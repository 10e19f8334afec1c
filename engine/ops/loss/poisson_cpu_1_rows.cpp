// The Poisson likelihood, rows (boxes) in parallel, in double; the rows' sums are added in order.
#include <cmath>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/cpu_loss_rows.h"
#include "engine/ops/loss/poisson.h"

namespace umbra {
namespace {

void run(const Poisson& op, Buffers b, void* workspace, Stream&) {
  constexpr double kSmallest = Poisson::kSmallestMean;
  const double log_smallest = std::log(kSmallest);
  const LossRows rows{op.rows, op.columns, static_cast<double>(op.rows)};
  rows.run(b.in(0), b.in(1), b.out(2), b.out(3), workspace, [&](double p, double t, std::int64_t) {
    const double mu = op.exposure * p, k = op.exposure * t;
    const bool above = mu >= kSmallest;
    const double log_mu = above ? std::log(mu) : log_smallest + (mu - kSmallest) / kSmallest;
    return LossRows::Term{mu - k * log_mu, op.exposure * (1 - k / (above ? mu : kSmallest))};
  });
}

}  // namespace

Kernel poisson_cpu_1_rows() {
  return make_kernel<Poisson, run, nullptr, loss_rows_workspace<Poisson>>();
}

}  // namespace umbra

// One block, loss and gradient in one launch (engine/ops/loss/cuda_loss_block.h).
#include <cmath>
#include <numbers>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/chi2.h"
#include "engine/ops/loss/cuda_loss_block.h"

namespace umbra {
namespace {

struct LinearError {
  const float* sigma;  // [B]
  __device__ LossTerm operator()(double p, double t, std::int64_t b) const {
    const double error = (p - t) / sigma[b];
    return {error * error, 2 * error / sigma[b]};
  }
};

struct LogError {
  const float* sigma;  // [B]
  double floor, log_floor;
  __device__ LossTerm operator()(double p, double t, std::int64_t b) const {
    const double derivative = 1 / ((p >= floor ? p : floor) * std::numbers::ln10);
    const double log_p = p >= floor ? std::log10(p) : log_floor + (p - floor) * derivative;
    const double error = (log_p - (t > floor ? std::log10(t) : log_floor)) / sigma[b];
    return {error * error, 2 * error * derivative / sigma[b]};
  }
};

template <class O, class Term>
void launch_chi2(const O& op, const Term& term, Buffers buffers, const Stream& stream, double terms) {
  launch_loss(term, stream, buffers.in(0), buffers.in(1), buffers.out(3), buffers.out(4), op.rows, op.columns,
              terms);
}

void chi2_linear(const Chi2Linear& op, Buffers buffers, void*, Stream& stream) {
  const LinearError term{buffers.in(2)};
  launch_chi2(op, term, buffers, stream, static_cast<double>(op.rows));
}

void chi2_log(const Chi2Log& op, Buffers buffers, void*, Stream& stream) {
  const LogError term{buffers.in(2), op.floor, std::log10(op.floor)};
  launch_chi2(op, term, buffers, stream, static_cast<double>(op.rows * op.columns));
}

}  // namespace

Kernel chi2_linear_cuda_1_block() {
  return make_kernel<Chi2Linear, chi2_linear>();
}
Kernel chi2_log_cuda_1_block() {
  return make_kernel<Chi2Log, chi2_log>();
}

}  // namespace umbra

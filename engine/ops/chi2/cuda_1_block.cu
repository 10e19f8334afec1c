// One block, loss and gradient in one launch (engine/cuda/loss_block.h).
#include <cmath>
#include <numbers>

#include "engine/cuda/loss_block.h"
#include "engine/ops/chi2/op.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

struct LinearError {
  const float* sigma;  // [B]
  __device__ LossTerm operator()(double p, double t, std::int64_t b) const {
    const double error = (p - t) / sigma[b];
    return {error, 2 * error / sigma[b]};
  }
};

struct LogError {
  const float* sigma;  // [B]
  double floor, log_floor;
  __device__ LossTerm operator()(double p, double t, std::int64_t b) const {
    const double slope = 1 / ((p >= floor ? p : floor) * std::numbers::ln10);
    const double log_p = p >= floor ? std::log10(p) : log_floor + (p - floor) * slope;
    const double error = (log_p - (t > floor ? std::log10(t) : log_floor)) / sigma[b];
    return {error, 2 * error * slope / sigma[b]};
  }
};

template <class O, class Term>
void launch_chi2(const O& op, const Term& term, Buffers buffers, const Stream& stream, double terms) {
  launch_loss(term, stream, static_cast<const float*>(buffers[0]), static_cast<const float*>(buffers[1]),
              static_cast<float*>(buffers[3]), static_cast<float*>(buffers[4]), op.rows, op.columns, terms);
}

}  // namespace

void chi2_linear_cuda_1_block(const Chi2Linear& op, Buffers buffers, void*, Stream& stream) {
  const LinearError term{static_cast<const float*>(buffers[2])};
  launch_chi2(op, term, buffers, stream, static_cast<double>(op.rows));
}

void chi2_log_cuda_1_block(const Chi2Log& op, Buffers buffers, void*, Stream& stream) {
  const LogError term{static_cast<const float*>(buffers[2]), op.floor, std::log10(op.floor)};
  launch_chi2(op, term, buffers, stream, static_cast<double>(op.rows * op.columns));
}

}  // namespace umbra

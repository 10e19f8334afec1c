// The two chi^2 losses, rows (boxes) in parallel (engine/ops/loss/cpu_loss_rows.h).
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/chi2.h"
#include "engine/ops/loss/cpu_loss_rows.h"

namespace umbra {
namespace {

void chi2_linear(const Chi2Linear& op, Buffers b, void* workspace, Stream&) {
  const float* sigma = b.in(2);  // [B]
  const LossRows rows{op.rows, op.columns, static_cast<double>(op.rows)};
  rows.run(b.in(0), b.in(1), b.out(3), b.out(4), workspace, [&](double p, double t, std::int64_t column) {
    const auto s = static_cast<double>(sigma[column]);
    const double error = (p - t) / s;
    return LossRows::Term{error * error, 2 * error / s};
  });
}

void chi2_log(const Chi2Log& op, Buffers b, void* workspace, Stream&) {
  const float* sigma = b.in(2);  // [B]
  const double floor = op.floor, log_floor = std::log10(floor);
  const LossRows rows{op.rows, op.columns, static_cast<double>(op.rows * op.columns)};
  rows.run(b.in(0), b.in(1), b.out(3), b.out(4), workspace, [&](double p, double t, std::int64_t column) {
    const auto s = static_cast<double>(sigma[column]);
    const double derivative = 1 / ((p >= floor ? p : floor) * std::numbers::ln10);
    const double log_p = p >= floor ? std::log10(p) : log_floor + (p - floor) * derivative;
    const double error = (log_p - std::log10(std::max(t, floor))) / s;
    return LossRows::Term{error * error, 2 * error * derivative / s};
  });
}

}  // namespace

Kernel chi2_linear_cpu_1_rows() {
  return make_kernel<Chi2Linear, chi2_linear, nullptr, loss_rows_workspace<Chi2Linear>>();
}
Kernel chi2_log_cpu_1_rows() {
  return make_kernel<Chi2Log, chi2_log, nullptr, loss_rows_workspace<Chi2Log>>();
}

}  // namespace umbra

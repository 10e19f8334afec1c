// The two chi^2 losses, rows (boxes) in parallel, in double; the rows' sums are added in order.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/ops/kernel.h"
#include "engine/ops/loss/chi2.h"
#include "engine/ops/shared/chunks.h"

namespace umbra {
namespace {

struct ChiTerm {
  double error;     // in units of sigma
  double gradient;  // of its square, with respect to p
};

/// loss = sum of error^2 / terms and its gradient; term(p, t, sigma) is evaluated once per element.
template <class O, class Term>
void chi2_rows(const O& op, Buffers buffers, void* workspace, double terms, const Term& term) {
  const float* p = buffers.in(0);                     // [N, B]
  const float* t = buffers.in(1);                     // [N, B]
  const float* sigma = buffers.in(2);                 // [B]
  float* dp = buffers.out(4);                         // [N, B]
  double* partial = static_cast<double*>(workspace);  // [N]
  parallel_chunks(op.rows, rows_per_chunk(op.columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      partial[n] = 0;
      for (std::int64_t b = 0; b < op.columns; ++b) {
        const std::int64_t i = n * op.columns + b;
        const ChiTerm chi =
            term(static_cast<double>(p[i]), static_cast<double>(t[i]), static_cast<double>(sigma[b]));
        partial[n] += chi.error * chi.error;
        dp[i] = static_cast<float>(chi.gradient / terms);
      }
    }
  });
  double total = 0;
  for (std::int64_t n = 0; n < op.rows; ++n) total += partial[n];
  *buffers.out(3) = static_cast<float>(total / terms);
}

void chi2_linear(const Chi2Linear& op, Buffers buffers, void* workspace, Stream&) {
  chi2_rows(op, buffers, workspace, static_cast<double>(op.rows), [](double p, double t, double sigma) {
    const double error = (p - t) / sigma;
    return ChiTerm{error, 2 * error / sigma};
  });
}

void chi2_log(const Chi2Log& op, Buffers buffers, void* workspace, Stream&) {
  const double floor = op.floor, log_floor = std::log10(floor);
  chi2_rows(op, buffers, workspace, static_cast<double>(op.rows * op.columns),
            [&](double p, double t, double sigma) {
              const double derivative = 1 / ((p >= floor ? p : floor) * std::numbers::ln10);
              const double log_p = p >= floor ? std::log10(p) : log_floor + (p - floor) * derivative;
              const double error = (log_p - std::log10(std::max(t, floor))) / sigma;
              return ChiTerm{error, 2 * error * derivative / sigma};
            });
}

/// One partial sum per row.
template <class O>
std::size_t workspace_bytes(const O& op) {
  return static_cast<std::size_t>(op.rows) * sizeof(double);
}

}  // namespace

Kernel chi2_linear_cpu_1_rows() {
  return make_kernel<Chi2Linear, chi2_linear, nullptr, workspace_bytes<Chi2Linear>>();
}
Kernel chi2_log_cpu_1_rows() {
  return make_kernel<Chi2Log, chi2_log, nullptr, workspace_bytes<Chi2Log>>();
}

}  // namespace umbra

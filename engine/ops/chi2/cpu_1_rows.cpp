// The two chi^2 losses, rows (boxes) side by side in double; the rows' sums are added in order.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/ops/chi2/op.h"
#include "engine/ops/chunks.h"
#include "engine/ops/kernel.h"

namespace umbra {
namespace {

struct ChiTerm {
  double error;     // in units of sigma
  double gradient;  // of its square, with respect to p
};

/// loss = sum of error^2 / terms and its gradient; term(p, t, sigma) is evaluated once per element.
template <class O, class Term>
void chi2_rows(const O& op, Buffers buffers, void* workspace, double terms, const Term& term) {
  const float* p = static_cast<const float*>(buffers[0]);      // [N, B]
  const float* t = static_cast<const float*>(buffers[1]);      // [N, B]
  const float* sigma = static_cast<const float*>(buffers[2]);  // [B]
  float* dp = static_cast<float*>(buffers[4]);                 // [N, B]
  double* partial = static_cast<double*>(workspace);           // [N]
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
  *static_cast<float*>(buffers[3]) = static_cast<float>(total / terms);
}

}  // namespace

void chi2_linear_rows(const Chi2Linear& op, Buffers buffers, void* workspace, Stream&) {
  chi2_rows(op, buffers, workspace, static_cast<double>(op.rows), [](double p, double t, double sigma) {
    const double error = (p - t) / sigma;
    return ChiTerm{error, 2 * error / sigma};
  });
}

void chi2_log_rows(const Chi2Log& op, Buffers buffers, void* workspace, Stream&) {
  const double floor = op.floor, log_floor = std::log10(floor);
  chi2_rows(op, buffers, workspace, static_cast<double>(op.rows * op.columns),
            [&](double p, double t, double sigma) {
              const double slope = 1 / ((p >= floor ? p : floor) * std::numbers::ln10);
              const double log_p = p >= floor ? std::log10(p) : log_floor + (p - floor) * slope;
              const double error = (log_p - std::log10(std::max(t, floor))) / sigma;
              return ChiTerm{error, 2 * error * slope / sigma};
            });
}

std::size_t chi2_linear_workspace(const Chi2Linear& op) {
  return static_cast<std::size_t>(op.rows) * sizeof(double);
}
std::size_t chi2_log_workspace(const Chi2Log& op) {
  return static_cast<std::size_t>(op.rows) * sizeof(double);
}

}  // namespace umbra

// Losses that are a sum of one term per number, on the CPU: rows (boxes) in parallel, in double; the rows'
// sums are added in order.
#pragma once

#include "engine/ops/kernel.h"
#include "engine/ops/shared/chunks.h"

namespace umbra {

struct LossRows {
  std::int64_t rows, columns;
  double terms;  // divides the loss

  /// A number adds value / terms to the loss, whose derivative is gradient / terms.
  struct Term {
    double value, gradient;
  };

  /// p, t, dp: [rows, columns]; loss: [1]; the workspace is that of loss_rows_workspace(). term(p, t, column)
  /// is evaluated once per number.
  template <class F>
  void run(const float* p, const float* t, float* loss, float* dp, void* workspace, const F& term) const {
    double* partial = static_cast<double*>(workspace);  // [rows]
    parallel_chunks(rows, rows_per_chunk(columns), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        partial[n] = 0;
        for (std::int64_t b = 0; b < columns; ++b) {
          const std::int64_t i = n * columns + b;
          const Term one = term(static_cast<double>(p[i]), static_cast<double>(t[i]), b);
          partial[n] += one.value;
          dp[i] = static_cast<float>(one.gradient / terms);
        }
      }
    });
    double total = 0;
    for (std::int64_t n = 0; n < rows; ++n) total += partial[n];
    *loss = static_cast<float>(total / terms);
  }
};

/// One partial sum per row.
template <class O>
std::size_t loss_rows_workspace(const O& op) {
  return static_cast<std::size_t>(op.rows) * sizeof(double);
}

}  // namespace umbra

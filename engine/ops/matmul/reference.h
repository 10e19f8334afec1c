// The definition of the fully connected layer and its adjoints in plain loops, for any scalar. Never tuned.
// `rounded` is applied to every operand of a product; with_rounding() creates it for a precision. The
// weights may be stored as another type.
#pragma once

#include <cstdint>

#include "engine/ops/shared/rounding.h"

namespace umbra {

/// y[n, m] = sum over k of w[m, k] x[n, k] + b[m]; b may be null.
template <class T, class W, class Rounded = NotRounded>
void linear_fprop_reference(std::int64_t rows, std::int64_t in, std::int64_t out, const T* x, const W* w,
                            const T* b, T* y, const Rounded& rounded = {}) {
  for (std::int64_t n = 0; n < rows; ++n) {
    for (std::int64_t m = 0; m < out; ++m) {
      T sum = T(0);
      for (std::int64_t k = 0; k < in; ++k)
        sum += rounded(static_cast<T>(w[m * in + k])) * rounded(x[n * in + k]);
      y[n * out + m] = b ? sum + b[m] : sum;
    }
  }
}

/// dx = dy w
template <class T, class W, class Rounded = NotRounded>
void linear_dgrad_reference(std::int64_t rows, std::int64_t in, std::int64_t out, const T* dy, const W* w,
                            T* dx, const Rounded& rounded = {}) {
  for (std::int64_t n = 0; n < rows; ++n) {
    for (std::int64_t k = 0; k < in; ++k) {
      T sum = T(0);
      for (std::int64_t m = 0; m < out; ++m)
        sum += rounded(static_cast<T>(w[m * in + k])) * rounded(dy[n * out + m]);
      dx[n * in + k] = sum;
    }
  }
}

/// dw = dy^T x, db = sum over n of dy; db may be null.
template <class T, class Rounded = NotRounded>
void linear_wgrad_reference(std::int64_t rows, std::int64_t in, std::int64_t out, const T* x, const T* dy,
                            T* dw, T* db, const Rounded& rounded = {}) {
  for (std::int64_t m = 0; m < out; ++m) {
    for (std::int64_t k = 0; k < in; ++k) {
      T sum = T(0);
      for (std::int64_t n = 0; n < rows; ++n) sum += rounded(dy[n * out + m]) * rounded(x[n * in + k]);
      dw[m * in + k] = sum;
    }
    if (!db) continue;
    T sum = T(0);
    for (std::int64_t n = 0; n < rows; ++n) sum += dy[n * out + m];
    db[m] = sum;
  }
}

}  // namespace umbra

#include "models/tasks/smf/cholesky.h"

#include <cmath>
#include <cstdint>

#include "engine/cpu/parallel.h"

namespace umbra {

Cholesky::Cholesky(Matrix a) : l_(std::move(a)) {
  constexpr std::int64_t kRows = 64;  // of a chunk: a row takes about a microsecond
  const std::size_t n = l_.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < j; ++k) l_[j][j] -= l_[j][k] * l_[j][k];
    l_[j][j] = std::sqrt(l_[j][j]);
    parallel_chunks(static_cast<std::int64_t>(n - j - 1), kRows, [&](std::int64_t begin, std::int64_t end) {
      for (std::size_t i = j + 1 + static_cast<std::size_t>(begin); i < j + 1 + static_cast<std::size_t>(end);
           ++i) {
        double sum = l_[i][j];
        const double *one = l_[i].data(), *other = l_[j].data();
        for (std::size_t k = 0; k < j; ++k) sum -= one[k] * other[k];
        l_[i][j] = sum / l_[j][j];
      }
    });
  }
}

Matrix Cholesky::solve(Matrix b) const {
  const std::size_t n = l_.size();
  for (std::size_t column = 0; column < b[0].size(); ++column) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < i; ++k) b[i][column] -= l_[i][k] * b[k][column];
      b[i][column] /= l_[i][i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) b[i][column] -= l_[k][i] * b[k][column];
      b[i][column] /= l_[i][i];
    }
  }
  return b;
}

std::vector<double> Cholesky::inverse_diagonal() const {
  const std::size_t n = l_.size();
  std::vector<double> diagonal(n);
  parallel_for(static_cast<std::int64_t>(n), [&](std::int64_t column) {
    // A column of L^-1; A^-1 = L^-T L^-1 has the squared lengths of these columns on its diagonal.
    const auto first = static_cast<std::size_t>(column);
    std::vector<double> x(n, 0.0);
    double sum = 0;
    for (std::size_t i = first; i < n; ++i) {
      double right = i == first ? 1.0 : 0.0;
      const double* row = l_[i].data();
      for (std::size_t k = first; k < i; ++k) right -= row[k] * x[k];
      x[i] = right / row[i];
      sum += x[i] * x[i];
    }
    diagonal[first] = sum;
  });
  return diagonal;
}

}  // namespace umbra

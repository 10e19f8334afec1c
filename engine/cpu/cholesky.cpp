// Every element is a sum over the columns before it in ascending order. The loops run over columns outside and over
// contiguous elements inside, so that they vectorise without a change of that order.
#include "engine/cpu/cholesky.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr std::int64_t kChunk = 32;  // rows or columns of a chunk
constexpr std::size_t kBlock = 32;

// x / pivot; 0 for an unknown that is left out.
double over(double x, double pivot) {
  return pivot == 0 ? 0 : x / pivot;
}

// to[k] -= factor * of[k] for k < count.
void subtract(double factor, const double* of, double* to, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k) to[k] -= factor * of[k];
}

}  // namespace

// Block by block of columns: first the rows of the block itself, then the block's columns of all rows below, then what
// is left of the columns after it.
Cholesky::Cholesky(Matrix a, double determined) : l_(std::move(a)) {
  const std::size_t n = l_.size();
  std::vector<double> diagonal(n);
  for (std::size_t j = 0; j < n; ++j) diagonal[j] = l_[j][j];
  std::vector<std::vector<double>> column(kBlock, std::vector<double>(n));  // the block's columns of L
  for (std::size_t first = 0; first < n; first += kBlock) {
    const std::size_t last = std::min(first + kBlock, n);
    const auto finish = [&](std::size_t i) {  // columns `first` to min(i, last) of row i
      double* row = l_[i].data();
      for (std::size_t k = first; k < std::min(i, last); ++k) {
        column[k - first][i] = row[k] = over(row[k], l_[k][k]);
        const std::size_t end = std::min(i + 1, last);
        subtract(row[k], column[k - first].data() + k + 1, row + k + 1, end - k - 1);
      }
    };
    for (std::size_t i = first; i < last; ++i) {
      finish(i);
      l_[i][i] = l_[i][i] > determined * diagonal[i] ? std::sqrt(l_[i][i]) : 0;
    }
    const auto rows_below = [&](const auto& body) {
      const auto rows = static_cast<std::int64_t>(n - last);
      parallel_chunks(rows, kChunk, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) body(last + static_cast<std::size_t>(i));
      });
    };
    rows_below(finish);
    rows_below([&](std::size_t i) {
      for (std::size_t k = first; k < last; ++k)
        subtract(l_[i][k], column[k - first].data() + last, l_[i].data() + last, i + 1 - last);
    });
  }
}

Matrix Cholesky::solve(Matrix b) const {
  const std::size_t n = l_.size(), columns = n > 0 ? b[0].size() : 0;
  const auto divide = [&](std::size_t i) {
    for (double& x : b[i]) x = over(x, l_[i][i]);
  };
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) subtract(l_[i][k], b[k].data(), b[i].data(), columns);
    divide(i);
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) subtract(l_[k][i], b[k].data(), b[i].data(), columns);
    divide(i);
  }
  return b;
}

std::vector<double> Cholesky::inverse_diagonal() const {
  const std::size_t n = l_.size();
  std::vector<double> diagonal(n, 0.0);
  parallel_chunks(static_cast<std::int64_t>(n), kChunk, [&](std::int64_t begin, std::int64_t end) {
    // Columns `first` to `last` of L^-1; A^-1 = L^-T L^-1 has the squared lengths of columns on its diagonal.
    const auto first = static_cast<std::size_t>(begin), last = static_cast<std::size_t>(end),
               columns = last - first;
    std::vector<double> x((n - first) * columns, 0.0);  // rows from `first`
    for (std::size_t i = first; i < n; ++i) {
      double* row = x.data() + (i - first) * columns;
      if (i < last) row[i - first] = 1;
      for (std::size_t k = first; k < i; ++k)
        subtract(l_[i][k], x.data() + (k - first) * columns, row, columns);
      for (std::size_t c = 0; c < columns; ++c) {
        row[c] = over(row[c], l_[i][i]);
        diagonal[first + c] += row[c] * row[c];
      }
    }
  });
  return diagonal;
}

}  // namespace umbra

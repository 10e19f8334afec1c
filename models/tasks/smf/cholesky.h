// Symmetric positive definite systems of the size of small models: up to a few thousand unknowns, in double.
#pragma once

#include <vector>

namespace umbra {

/// Rows of equal length.
using Matrix = std::vector<std::vector<double>>;

/// A = L L^T. All results have the same bits for any number of threads.
class Cholesky {
 public:
  /// Factorises `a` [n][n], of which only the lower triangle is read. It must be positive definite: otherwise the
  /// results are not finite.
  explicit Cholesky(Matrix a);
  /// A^-1 b for every column of `b` [n][columns].
  Matrix solve(Matrix b) const;
  /// The diagonal of A^-1. [n]
  std::vector<double> inverse_diagonal() const;

 private:
  Matrix l_;  // [n][n], lower triangle
};

}  // namespace umbra

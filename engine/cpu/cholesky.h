// Symmetric positive definite systems of the size of small models: up to a few thousand unknowns, in double.
#pragma once

#include <vector>

namespace umbra {

/// Rows of equal length.
using Matrix = std::vector<std::vector<double>>;

/// A = L L^T. All results have the same bits for any number of threads.
class Cholesky {
 public:
  /// Factorises `a` [n][n], of which only the lower triangle is read. An unknown whose pivot, what A leaves of its
  /// diagonal element after the unknowns before it, is not above `determined` times that element is not determined by
  /// the system: it is left out, and 0 in all results.
  explicit Cholesky(Matrix a, double determined = 0);
  /// A^-1 b for every column of `b` [n][columns].
  Matrix solve(Matrix b) const;
  /// The diagonal of A^-1. [n]
  std::vector<double> inverse_diagonal() const;

 private:
  Matrix l_;  // [n][n], lower triangle; a row and a column of 0 for an unknown that is left out
};

}  // namespace umbra

// Systems of the size of small models.
#include "engine/cpu/cholesky.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <numeric>
#include <random>

namespace umbra {
namespace {

TEST(Cholesky, SolvesAndInverts) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  constexpr std::size_t n = 150;
  Matrix root(n, std::vector<double>(n)), a(n, std::vector<double>(n, 0.0)),
      unit(n, std::vector<double>(n, 0.0));
  for (auto& row : root)
    for (double& x : row) x = normal(random);
  for (std::size_t i = 0; i < n; ++i) {
    unit[i][i] = 1;
    for (std::size_t j = 0; j < n; ++j)
      a[i][j] = std::inner_product(root[i].begin(), root[i].end(), root[j].begin(), i == j ? 1.0 : 0.0);
  }
  const Cholesky factor(a);
  const Matrix inverse = factor.solve(unit);
  const std::vector<double> diagonal = factor.inverse_diagonal();
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_NEAR(diagonal[i], inverse[i][i], 1e-10);
    for (std::size_t j = 0; j < n; ++j) {
      double product = 0;
      for (std::size_t k = 0; k < n; ++k) product += a[i][k] * inverse[k][j];
      EXPECT_NEAR(product, unit[i][j], 1e-8);
    }
  }
}

// The third column is the sum of the first two: it adds nothing, and the others solve the system without it.
TEST(Cholesky, WhatTheSystemDoesNotDetermineIsLeftOut) {
  const Matrix a{{2, 1, 3, 0}, {1, 3, 4, 0}, {3, 4, 7, 0}, {0, 0, 0, 5}};
  const Cholesky factor(a, 1e-9);
  const Matrix x = factor.solve({{4, 1}, {7, 0}, {11, 1}, {10, 0}});
  EXPECT_NEAR(x[0][0], 1, 1e-14);
  EXPECT_NEAR(x[1][0], 2, 1e-14);
  EXPECT_EQ(x[2][0], 0);
  EXPECT_NEAR(x[3][0], 2, 1e-14);
  EXPECT_NEAR(x[0][1], 0.6, 1e-14);
  EXPECT_NEAR(x[1][1], -0.2, 1e-14);
  const std::vector<double> diagonal = factor.inverse_diagonal();
  EXPECT_NEAR(diagonal[0], 0.6, 1e-14);
  EXPECT_EQ(diagonal[2], 0);
  EXPECT_NEAR(diagonal[3], 0.2, 1e-14);
  EXPECT_EQ(Cholesky(Matrix{{0}}).solve({{1}})[0][0], 0);
}

TEST(Cholesky, SameBitsForAnyNumberOfThreads) {
  constexpr std::size_t n = 200;
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  Matrix a(n, std::vector<double>(n)), b(n, std::vector<double>(2));
  for (std::size_t i = 0; i < n; ++i) {
    for (double& x : a[i]) x = normal(random);
    for (double& x : b[i]) x = normal(random);
    a[i][i] = 40;  // above the largest eigenvalue of the rest, about 2 sqrt(n)
  }
  const auto results = [&](int threads) {
    omp_set_num_threads(threads);
    const Cholesky factor(a);
    return std::pair(factor.solve(b), factor.inverse_diagonal());
  };
  EXPECT_EQ(results(1), results(3));
}

}  // namespace
}  // namespace umbra

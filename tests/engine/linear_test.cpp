// The fully connected layer: known numbers, adjoint identities, dual numbers, and every rung against the f64
// reference.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/base/dual.h"
#include "engine/base/philox.h"
#include "engine/ops/matmul/reference.h"

namespace umbra {
namespace {

std::vector<double> random_vector(std::int64_t count, std::uint64_t stream) {
  std::vector<double> v(static_cast<std::size_t>(count));
  const Rng rng(4, Purpose::kTest, stream);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = rng.normal(i);
  return v;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

TEST(LinearReference, KnownNumbers) {
  const double x[] = {1, 2, 3, 4}, w[] = {1, 10, 2, 20, 3, 30}, b[] = {100, 200, 300};  // 2 rows, 2 in, 3 out
  double y[6];
  linear_fprop_reference(2, 2, 3, x, w, b, y);
  EXPECT_EQ(std::vector<double>(y, y + 6), (std::vector<double>{121, 242, 363, 143, 286, 429}));
  const double dy[] = {1, 0, 2, 0, 1, 0};
  double dx[4], dw[6], db[3];
  linear_dgrad_reference(2, 2, 3, dy, w, dx);
  EXPECT_EQ(std::vector<double>(dx, dx + 4), (std::vector<double>{7, 70, 2, 20}));
  linear_wgrad_reference(2, 2, 3, x, dy, dw, db);
  EXPECT_EQ(std::vector<double>(dw, dw + 6), (std::vector<double>{1, 2, 3, 4, 2, 4}));
  EXPECT_EQ(std::vector<double>(db, db + 3), (std::vector<double>{1, 1, 2}));
}

// <y - b, v> = <x, dgrad> = <w, wgrad> and <b, db> = sum over rows of <b, v>.
TEST(LinearReference, AdjointIdentitiesAndDualNumbers) {
  const std::int64_t rows = 7, in = 13, out = 5;
  const auto x = random_vector(rows * in, 1), w = random_vector(out * in, 2), b = random_vector(out, 3);
  const auto v = random_vector(rows * out, 4), p = random_vector(rows * in, 5),
             q = random_vector(out * in, 6);
  std::vector<double> y(v.size()), dx(x.size()), dw(w.size()), db(b.size());
  linear_fprop_reference(rows, in, out, x.data(), w.data(), static_cast<const double*>(nullptr), y.data());
  linear_dgrad_reference(rows, in, out, v.data(), w.data(), dx.data());
  linear_wgrad_reference(rows, in, out, x.data(), v.data(), dw.data(), db.data());
  const double scale = std::sqrt(dot(y, y) * dot(v, v));
  EXPECT_LE(std::fabs(dot(y, v) - dot(x, dx)), 1e-12 * scale);
  EXPECT_LE(std::fabs(dot(y, v) - dot(w, dw)), 1e-12 * scale);
  double of_bias = 0;
  for (std::int64_t i = 0; i < rows * out; ++i) {
    of_bias += v[static_cast<std::size_t>(i)] * b[static_cast<std::size_t>(i % out)];
  }
  EXPECT_LE(std::fabs(of_bias - dot(b, db)), 1e-12 * scale);

  std::vector<Dual<double>> x2, w2, b2, y2(v.size());
  for (std::size_t i = 0; i < x.size(); ++i) x2.emplace_back(x[i], p[i]);
  for (std::size_t i = 0; i < w.size(); ++i) w2.emplace_back(w[i], q[i]);
  for (std::size_t i = 0; i < b.size(); ++i) b2.emplace_back(b[i], 1.0);
  linear_fprop_reference(rows, in, out, x2.data(), w2.data(), b2.data(), y2.data());
  std::vector<double> from_x(v.size()), from_w(v.size());
  const double* none = nullptr;
  linear_fprop_reference(rows, in, out, p.data(), w.data(), none, from_x.data());
  linear_fprop_reference(rows, in, out, x.data(), q.data(), none, from_w.data());
  for (std::size_t i = 0; i < v.size(); ++i)
    EXPECT_NEAR(y2[i].derivative, from_x[i] + from_w[i] + 1.0, 1e-12);
}

}  // namespace
}  // namespace umbra

#include "data/mock/lpt.h"

#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

/// Writes factor(kx, ky, kz, k^2) * in_k to `out` for every mode, zero for k = 0; wave numbers in units of 2
/// pi / L.
template <class Factor>
void multiply_modes(const Grid& in, Grid& out, const Factor& factor) {
  const int n = in.n();
  parallel_for(n, [&](std::int64_t plane) {
    const int x = static_cast<int>(plane);
    const auto kx = static_cast<float>(in.wave_number(x));
    for (int y = 0; y < n; ++y) {
      const auto ky = static_cast<float>(in.wave_number(y));
      const std::complex<float>* from = in.modes(x, y);
      std::complex<float>* to = out.modes(x, y);
      for (int z = 0; z <= n / 2; ++z) {
        const auto kz = static_cast<float>(z);
        const float squared = kx * kx + ky * ky + kz * kz;
        to[z] =
            squared > 0 ? factor(std::array<float, 3>{kx, ky, kz}, squared) * from[z] : std::complex<float>();
      }
    }
  });
}

/// phi1,ij in real space: (-k_i k_j) (-delta_k / k^2).
void second_derivative(const Grid& delta, std::size_t i, std::size_t j, Grid& out, const Fft& fft,
                       Stage* stage) {
  multiply_modes(delta, out, [=](const auto& k, float squared) { return k[i] * k[j] / squared; });
  fft.inverse(out);
  if (stage) stage->add();
}

/// Calls body(row of a, row of b, row of c, n) for every row.
template <class Body>
void for_rows(Grid& a, const Grid& b, const Grid& c, const Body& body) {
  const int n = a.n();
  parallel_for(n, [&](std::int64_t x) {
    for (int y = 0; y < n; ++y)
      body(a.row(static_cast<int>(x), y), b.row(static_cast<int>(x), y), c.row(static_cast<int>(x), y), n);
  });
}

}  // namespace

Grid second_order_source(const Grid& delta, const Fft& fft, Stage* stage) {
  Grid source(delta.n()), second(delta.n()), third(delta.n());
  second_derivative(delta, 0, 0, source, fft, stage);
  second_derivative(delta, 1, 1, second, fft, stage);
  second_derivative(delta, 2, 2, third, fft, stage);
  for_rows(source, second, third, [](float* xx, const float* yy, const float* zz, int n) {
    for (int i = 0; i < n; ++i) xx[i] = xx[i] * yy[i] + (xx[i] + yy[i]) * zz[i];
  });
  for (const auto& [i, j] : {std::pair<std::size_t, std::size_t>{0, 1}, {0, 2}, {1, 2}}) {
    second_derivative(delta, i, j, second, fft, stage);
    for_rows(source, second, third, [](float* sum, const float* ij, const float*, int n) {
      for (int z = 0; z < n; ++z) sum[z] -= ij[z] * ij[z];
    });
  }
  fft.forward(source);
  if (stage) stage->add();
  return source;
}

Displacement displacement_2lpt(Grid delta, double box_size, double omega_m, const Fft& fft, Stage* stage) {
  const int n = delta.n();
  const auto growth = static_cast<float>(-3.0 / 7.0 * std::pow(omega_m, -1.0 / 143.0));
  {
    // In Fourier space the displacement is (i k / k^2) (delta - D2 laplacian phi2): one field holds both
    // orders.
    const Grid source = second_order_source(delta, fft, stage);
    parallel_for(n, [&](std::int64_t x) {
      for (int y = 0; y < n; ++y) {
        std::complex<float>* sum = delta.modes(static_cast<int>(x), y);
        const std::complex<float>* second = source.modes(static_cast<int>(x), y);
        for (int z = 0; z <= n / 2; ++z) sum[z] -= growth * second[z];
      }
    });
  }
  const auto length = static_cast<float>(box_size / (2 * std::numbers::pi));  // 1 / the fundamental
  Displacement displacement{Grid(n), Grid(n), Grid(n)};
  const std::array<Grid*, 3> axes = {&displacement.x, &displacement.y, &displacement.z};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    multiply_modes(delta, *axes[axis], [=](const auto& k, float squared) {
      // A derivative along an axis is undefined at its Nyquist wave number, where k and -k share a mode.
      const bool nyquist = std::abs(k[axis]) * 2 == static_cast<float>(n);
      return std::complex<float>(0, nyquist ? 0.0f : length * k[axis] / squared);
    });
    fft.inverse(*axes[axis]);
    if (stage) stage->add();
  }
  return displacement;
}

}  // namespace umbra::mock

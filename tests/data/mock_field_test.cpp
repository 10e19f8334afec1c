// The matter of the mock: power spectrum, Gaussian field, 2LPT and density.
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <numeric>
#include <sstream>

#include "data/mock/density.h"
#include "data/mock/fft.h"
#include "data/mock/gaussian_field.h"
#include "data/mock/lpt.h"
#include "data/mock/power_spectrum.h"
#include "engine/base/error.h"
#include "test_paths.h"

namespace umbra::mock {
namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;

/// Runs `body` on `threads` threads and restores the number.
template <class Body>
auto on_threads(int threads, const Body& body) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  auto result = body();
  omp_set_num_threads(before);
  return result;
}

/// Fills a grid with f(x, y, z) of lattice indices.
template <class F>
Grid filled(int n, const F& f) {
  Grid grid(n);
  for (int x = 0; x < n; ++x)
    for (int y = 0; y < n; ++y)
      for (int z = 0; z < n; ++z) grid.row(x, y)[z] = static_cast<float>(f(x, y, z));
  return grid;
}

TEST(MockPowerSpectrum, IsNormalised) {
  const PowerSpectrum spectrum{Cosmology{}};
  EXPECT_NEAR(spectrum.sigma(8.0), 0.823, 1e-6);
  EXPECT_NEAR(spectrum.transfer(1e-5), 1.0, 1e-3);
  EXPECT_EQ(spectrum(0.0), 0.0);
  EXPECT_GT(spectrum.sigma(2.0), spectrum.sigma(8.0));
}

TEST(MockPowerSpectrum, AgreesWithClass) {
  const std::filesystem::path path =
      UMBRA_SOURCE_DIR "/../shared/data/planck_linear_theory/md_planck_z0_pk.dat";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the CLASS table of the Planck cosmology is not here";
  Cosmology cosmology;
  cosmology.h = 0.6777;
  cosmology.omega_b = 0.02216104 / (0.6777 * 0.6777);
  cosmology.omega_m = (0.02216104 + 0.1188921) / (0.6777 * 0.6777);
  cosmology.sigma_8 = 0.841;
  const PowerSpectrum spectrum(cosmology);
  std::ifstream file(path);
  int compared = 0;
  double worst = 0;
  for (std::string line; std::getline(file, line);) {
    double k = 0, p = 0;
    if (line.empty() || line[0] == '#' || !(std::istringstream(line) >> k >> p) || k < 1e-3 || k > 10)
      continue;
    worst = std::max(worst, std::abs(spectrum(k) / p - 1));
    EXPECT_NEAR(spectrum(k) / p, 1.0, 0.05) << "k = " << k << " h/Mpc";
    ++compared;
  }
  EXPECT_GT(compared, 30);
  RecordProperty("worst_relative_error", std::to_string(worst));
}

TEST(MockPowerSpectrum, HasBaryonWiggles) {
  // Against a spectrum almost without baryons, the ratio must rise and fall between 0.05 and 0.3 h/Mpc.
  Cosmology bare;
  bare.omega_b = 1e-5;
  const PowerSpectrum with{Cosmology{}}, without{bare};
  int turns = 0;
  double before = 0, slope_before = 0;
  for (double k = 0.04; k < 0.3; k += 0.004) {
    const double ratio = with.transfer(k) / without.transfer(k);
    const double slope = ratio - before;
    if (before > 0 && slope * slope_before < 0) ++turns;
    if (before > 0) slope_before = slope;
    before = ratio;
  }
  EXPECT_GE(turns, 3);
}

TEST(MockPowerSpectrum, RefusesImpossibleCosmologies) {
  Cosmology cosmology;
  cosmology.omega_b = 0.5;
  EXPECT_THROW(PowerSpectrum{cosmology}, Error);
  cosmology = {};
  cosmology.h = std::nan("");
  EXPECT_THROW(PowerSpectrum{cosmology}, Error);
}

TEST(MockFft, TransformsAPlaneWaveAndBack) {
  const int n = 20;  // 2^2 5: no power of two
  const Fft fft(n);
  const auto wave = [&](int x, int y, int z) { return std::cos(kTwoPi * (3 * x - 2 * y + 5 * z) / n); };
  Grid grid = filled(n, wave);
  fft.forward(grid);
  EXPECT_NEAR(grid.modes(3, n - 2)[5].real(), 0.5, 1e-6);
  EXPECT_NEAR(std::abs(grid.modes(2, 1)[5]), 0, 1e-6);
  fft.inverse(grid);
  for (int x = 0; x < n; ++x) EXPECT_NEAR(grid.row(x, 7)[4], wave(x, 7, 4), 1e-5);
  EXPECT_THROW(Grid(30), Error);
}

TEST(MockField, IsHermitianAndHasThePowerOfTheSpectrum) {
  const int n = 64;
  const double box = 200;
  const PowerSpectrum spectrum{Cosmology{}};
  const Grid delta = gaussian_modes(n, box, spectrum, 3);
  EXPECT_EQ(delta.modes(0, 0)[0], std::complex<float>());
  double sum = 0, modes = 0;
  for (int x = 0; x < n; ++x)
    for (int y = 0; y < n; ++y) {
      const int i = (n - x) % n, j = (n - y) % n;
      EXPECT_EQ(delta.modes(x, y)[0], std::conj(delta.modes(i, j)[0]));
      EXPECT_EQ(delta.modes(x, y)[n / 2], std::complex<float>());
      for (int z = 1; z < n / 2; ++z) {
        const int kx = delta.wave_number(x), ky = delta.wave_number(y);
        if (std::abs(kx) == n / 2 || std::abs(ky) == n / 2) continue;
        const double k = kTwoPi / box * std::sqrt(kx * kx + ky * ky + z * z);
        sum += std::norm(delta.modes(x, y)[z]) * box * box * box / spectrum(k);
        modes += 1;
      }
    }
  EXPECT_NEAR(sum / modes, 1.0, 5 / std::sqrt(modes));  // |g|^2 is exponential: its spread is its mean
}

TEST(MockField, DoesNotDependOnThreadsAndKeepsItsModesOnAFinerGrid) {
  const PowerSpectrum spectrum{Cosmology{}};
  const auto make = [&](int n, std::uint64_t seed) { return gaussian_modes(n, 100, spectrum, seed); };
  const Grid one = on_threads(1, [&] { return make(32, 1); }),
             two = on_threads(2, [&] { return make(32, 1); });
  EXPECT_EQ(std::memcmp(one.row(0, 0), two.row(0, 0), sizeof(float) * 32 * 32 * 34), 0);
  const Grid fine = make(48, 1), other = make(32, 2);
  EXPECT_EQ(one.modes(30, 5)[7], fine.modes(46, 5)[7]);  // wave vector (-2, 5, 7) on both
  EXPECT_NE(one.modes(30, 5)[7], other.modes(30, 5)[7]);
}

TEST(MockLpt, MovesAPlaneWaveAsZeldovichDoes) {
  // delta = A cos(kx): displacement -grad phi1 = -(A / k) sin(kx) along x, and no second order.
  const int n = 32;
  const double box = 64, amplitude = 0.3, k = kTwoPi / box * 2;
  const Fft fft(n);
  Grid delta = filled(n, [&](int x, int, int) { return amplitude * std::cos(k * x * box / n); });
  fft.forward(delta);
  const Displacement moved = displacement_2lpt(std::move(delta), box, 0.307, fft);
  for (int x = 0; x < n; ++x) {
    EXPECT_NEAR(moved.x.row(x, 3)[9], -amplitude / k * std::sin(k * x * box / n), 1e-5);
    EXPECT_NEAR(moved.y.row(x, 3)[9], 0, 1e-5);
    EXPECT_NEAR(moved.z.row(x, 3)[9], 0, 1e-5);
  }
}

TEST(MockLpt, SecondOrderOfCrossingWaves) {
  // phi1,xx = A cos(kx) and phi1,yy = B cos(qy): laplacian phi2 = A B cos(kx) cos(qy), and the displacement
  // gains D2 grad phi2 with phi2 = -A B cos(kx) cos(qy) / (k^2 + q^2).
  const int n = 32;
  const double box = 100, a = 0.4, b = 0.7, omega_m = 0.307;
  const double k = kTwoPi / box, q = 3 * k, d2 = -3.0 / 7.0 * std::pow(omega_m, -1.0 / 143.0);
  const auto at = [&](int i) { return i * box / n; };
  const Fft fft(n);
  Grid delta =
      filled(n, [&](int x, int y, int) { return a * std::cos(k * at(x)) + b * std::cos(q * at(y)); });
  fft.forward(delta);
  Grid source = second_order_source(delta, fft);
  fft.inverse(source);
  const Displacement moved = displacement_2lpt(std::move(delta), box, omega_m, fft);
  for (int x = 0; x < n; x += 3)
    for (int y = 0; y < n; y += 5) {
      EXPECT_NEAR(source.row(x, y)[4], a * b * std::cos(k * at(x)) * std::cos(q * at(y)), 1e-5);
      const double second = d2 * a * b * k * std::sin(k * at(x)) * std::cos(q * at(y)) / (k * k + q * q);
      EXPECT_NEAR(moved.x.row(x, y)[4], -a / k * std::sin(k * at(x)) + second, 1e-4);
    }
}

TEST(MockDensity, SharesEveryParticleAndGroupsThemAll) {
  const int n = 32, side = 10;
  const double box = 50;
  const PowerSpectrum spectrum{Cosmology{}};
  const auto make = [&] {
    const Fft fft(n);
    return Particles(displacement_2lpt(gaussian_modes(n, box, spectrum, 5), box, 0.307, fft), box);
  };
  const Particles particles = make();
  const auto one = on_threads(1, [&] { return cloud_in_cell(particles, side); });
  const auto two = on_threads(2, [&] { return cloud_in_cell(particles, side); });
  EXPECT_EQ(one, two);
  EXPECT_NEAR(std::accumulate(one.begin(), one.end(), 0.0) / static_cast<double>(one.size()), 1.0, 1e-5);
  const CellList cells = group_by_cell(particles, side);
  ASSERT_EQ(cells.begin.size(), static_cast<std::size_t>(side * side * side + 1));
  EXPECT_EQ(cells.begin.back(), static_cast<std::uint32_t>(n * n * n));
  for (std::size_t c = 0; c + 1 < cells.begin.size(); ++c)
    for (std::uint32_t i = cells.begin[c]; i < cells.begin[c + 1]; ++i) {
      const Position p = particles.position(cells.particles[i]);
      const auto x = static_cast<std::size_t>(p[0] / box * side),
                 y = static_cast<std::size_t>(p[1] / box * side),
                 z = static_cast<std::size_t>(p[2] / box * side);
      ASSERT_EQ((x * side + y) * side + z, c);
    }
}

TEST(MockDensity, ACloudIsSharedByItsDistances) {
  // An undisplaced lattice of the mesh's size: every particle sits on a corner and gives an eighth to eight
  // cells.
  const int n = 8;
  const Particles lattice({Grid(n), Grid(n), Grid(n)}, 16);
  for (float rho : cloud_in_cell(lattice, n)) EXPECT_NEAR(rho, 1.0, 1e-6);
  Displacement moved{Grid(n), Grid(n), Grid(n)};
  moved.z.row(2, 3)[4] = 1.0f;  // one particle goes from the corner of its cell to the middle of its edge
  const auto density = cloud_in_cell(Particles(std::move(moved), 16), n);
  const auto cell = [&](int x, int y, int z) {
    return density[static_cast<std::size_t>((x * n + y) * n + z)];
  };
  EXPECT_NEAR(cell(2, 3, 4), 1.125, 1e-6);  // gains the eighth that cell z = 3 loses
  EXPECT_NEAR(cell(2, 3, 3), 0.875, 1e-6);
  EXPECT_NEAR(cell(5, 5, 5), 1.0, 1e-6);
}

TEST(MockDensity, WrapsIntoTheBox) {
  EXPECT_EQ(wrap(-1e-18, 250), 0.0);  // -1e-18 + 250 rounds to 250, which is outside
  EXPECT_EQ(wrap(250, 250), 0.0);
  EXPECT_NEAR(wrap(-1, 250), 249, 1e-12);
  EXPECT_NEAR(squared_distance({1, 1, 1}, {249, 1, 1}, 250), 4, 1e-9);
}

}  // namespace
}  // namespace umbra::mock

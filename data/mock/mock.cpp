#include "data/mock/mock.h"

#include <algorithm>
#include <cmath>

#include "data/mock/abundance_matching.h"
#include "data/mock/gaussian_field.h"
#include "data/mock/satellites.h"
#include "data/mock/velocity_function.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/cpu/parallel.h"

namespace umbra::mock {
namespace {

constexpr double kSpacing = 1.3;  // Mpc/h between particles, where memory allows
constexpr double kCell = 3.125;   // Mpc/h, side of a placement cell
// Mpc/h, the taper of the linear field. In 2LPT matter passes through collapsed structures, which blurs them;
// without the smallest waves they stay sharp (Coles, Melott & Shandarin 1993). The r.m.s.
// overdensity in placement cells is 1.23, 1.39, 1.44, 1.46, 1.39 with a taper of 0, 1, 1.5, 2, 3 Mpc/h: this
// value is near the maximum.
constexpr double kSmoothing = 1.75;
constexpr double kMostHalos = 2e7;
constexpr int kSmallestLattice = 32, kLargestLattice = 512;  // 512: four grids of 0.5 GB

/// The smallest multiple of 4 at or above `wanted` without prime factors above 5.
int lattice_size(double wanted) {
  const int least = std::clamp(static_cast<int>(std::ceil(wanted)), kSmallestLattice, kLargestLattice);
  for (int n = (least + 3) / 4 * 4;; n += 4) {
    int rest = n;
    for (int prime : {2, 3, 5})
      while (rest % prime == 0) rest /= prime;
    if (rest == 1) return n;
  }
}

std::int64_t halo_count(const Options& options) {
  require(options.box_size >= 25 && options.box_size <= 1000, "the box size of the mock is ",
          options.box_size, " Mpc/h, where a number between 25 and 1000 is expected");
  require(options.min_vpeak >= 20 && options.min_vpeak <= 1000, "the smallest Vpeak of the mock is ",
          options.min_vpeak, " km/s, where a number between 20 and 1000 is expected");
  const double count = cumulative_density(options.min_vpeak) * std::pow(options.box_size, 3);
  require(count >= 10 && count <= kMostHalos, "a box of ", options.box_size, " Mpc/h holds about ",
          std::llround(count), " halos with Vpeak above ", options.min_vpeak, " km/s, where 10 to ",
          std::llround(kMostHalos), " are expected: change the box size or the smallest Vpeak");
  return std::llround(count);
}

Halos draw_halos(std::int64_t count, const Options& options, const Cosmology& cosmology,
                 const StageReport& progress) {
  Stage stage(progress, "drawing halos", 5);
  Halos halos;
  halos.vpeak = draw_velocities(count, options.min_vpeak, options.seed);
  stage.add();
  const StellarRelation relation(StellarMassFunction(um_dr1_smf(), cosmology.h), kStellarScatter);
  const Rng rng(options.seed, Purpose::kMockStellarMass);
  std::vector<double> log_mass(halos.vpeak.size());
  halos.stellar_mass.resize(log_mass.size());
  parallel_chunks(count, 4096, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      log_mass[i] = relation.median(cumulative_density(halos.vpeak[i])) + kStellarScatter * rng.normal(i);
      halos.stellar_mass[i] = std::pow(10.0, log_mass[i]);
    }
  });
  stage.add();
  choose_hosts(halos, satellite_probability(halos.vpeak, log_mass, um_dr1_smf()), options.seed);
  stage.add();
  draw_masses(halos, cosmology, options.seed);
  stage.add();
  draw_histories(halos, cosmology, options.seed);
  stage.add();
  return halos;
}

Particles displaced_particles(const Options& options, const Cosmology& cosmology,
                              const StageReport& progress) {
  Stage stage(progress, "moving matter", 1 + kTransforms2Lpt);
  const int n = lattice_size(options.box_size / kSpacing);
  const Fft fft(n);
  Grid delta = gaussian_modes(n, options.box_size, PowerSpectrum(cosmology), options.seed, kSmoothing);
  stage.add();
  return Particles(displacement_2lpt(std::move(delta), options.box_size, cosmology.omega_m, fft, &stage),
                   options.box_size);
}

/// Puts the centrals on the particles.
void place(Halos& halos, Mock& mock, const Options& options, const StageReport& progress) {
  const Cosmology& cosmology = mock.catalog.cosmology;
  const Particles particles = displaced_particles(options, cosmology, progress);
  mock.lattice = static_cast<int>(std::lround(std::cbrt(static_cast<double>(particles.count()))));
  mock.cells = std::max(8, static_cast<int>(std::lround(options.box_size / kCell)));
  const std::vector<float> density = cloud_in_cell(particles, mock.cells);
  double sum = 0;
  for (float rho : density) sum += (rho - 1.0) * (rho - 1.0);
  mock.matter_sigma = std::sqrt(sum / static_cast<double>(density.size()));

  std::vector<double> velocity, mass, radius;
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < halos.count(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    if (halos.host[i] >= 0) continue;
    rows.push_back(row);
    velocity.push_back(halos.vpeak[i]);
    mass.push_back(halos.mvir[i]);
    radius.push_back(virial_radius(halos.mvir[i], cosmology.omega_m));
  }
  const Placement placement =
      place_centrals(particles, group_by_cell(particles, mock.cells), density, {velocity, mass, radius, rows},
                     mean_matter_density(cosmology.omega_m), options.bias, options.seed, progress);
  mock.crowded = placement.crowded;
  halos.position.resize(halos.vpeak.size());
  for (std::size_t c = 0; c < rows.size(); ++c)
    halos.position[static_cast<std::size_t>(rows[c])] = placement.position[c];
  place_satellites(halos, options.box_size, cosmology.omega_m, options.seed);
}

void fill_columns(Catalog& catalog, Halos&& halos) {
  auto& columns = catalog.columns;
  const auto rows = halos.vpeak.size();
  const std::array<const char*, 3> axes = {"x", "y", "z"};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::vector<double>& column = columns[axes[axis]];
    column.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) column[i] = halos.position[i][axis];
  }
  auto& ids = catalog.integers["id"];
  ids.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) ids[i] = static_cast<std::int64_t>(i);
  catalog.integers["box"].assign(rows, 0);
  catalog.integers["upid"] = std::move(halos.host);
  columns["vpeak"] = std::move(halos.vpeak);
  columns["vacc"] = std::move(halos.vacc);
  columns["mpeak"] = std::move(halos.mpeak);
  columns["macc"] = std::move(halos.macc);
  columns["mvir"] = std::move(halos.mvir);
  columns["spin"] = std::move(halos.spin);
  columns["halfmass_scale"] = std::move(halos.halfmass_scale);
  columns["stellar_mass"] = std::move(halos.stellar_mass);
}

}  // namespace

Mock make(const Options& options, const StageReport& progress) {
  const std::int64_t count = halo_count(options);
  Mock mock;
  mock.catalog.box_size = options.box_size;
  mock.catalog.source = concat("umbra mock, seed ", options.seed, ", Vpeak above ", options.min_vpeak,
                               " km/s: 2LPT field, UniverseMachine DR1 abundances");
  Halos halos = draw_halos(count, options, mock.catalog.cosmology, progress);
  place(halos, mock, options, progress);
  fill_columns(mock.catalog, std::move(halos));
  return mock;
}

}  // namespace umbra::mock

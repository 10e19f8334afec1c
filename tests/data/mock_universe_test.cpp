// The mock as a whole: its quality figures, reproducibility, units and geometry.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "data/mock/halo_properties.h"
#include "data/mock/mock.h"
#include "data/mock/placement.h"
#include "data/mock/quality.h"
#include "data/mock/velocity_function.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace umbra::mock {
namespace {

Options small_box(std::uint64_t seed = 1) {
  Options options;
  options.box_size = 62.5;
  options.seed = seed;
  return options;
}

/// A box of 125 Mpc/h: an eighth of the default, for tests that do not need the whole volume.
Mock middle_box() {
  Options options;
  options.box_size = 125;
  return make(options);
}

double separation(const Catalog& catalog, std::size_t a, std::size_t b) {
  double sum = 0;
  for (const char* axis : {"x", "y", "z"}) {
    const auto x = catalog.column(axis);
    const double d = std::abs(x[a] - x[b]), near = std::min(d, catalog.box_size - d);
    sum += near * near;
  }
  return std::sqrt(sum);
}

TEST(MockUniverse, TheDefaultHasTheFiguresOfUniverseMachine) {
  const Mock mock = make(Options{});
  const Catalog& catalog = mock.catalog;
  int judged = 0;
  for (const Figure& figure : quality(catalog, 150)) {
    judged += figure.judged();
    EXPECT_LT(std::abs(figure.deviation()), 4)
        << figure.name << ": " << figure.value << " against " << figure.target;
  }
  EXPECT_GE(judged, 20);
  EXPECT_EQ(mock.crowded, 0);

  // A limit of four standard deviations of one box would not detect a placement that is wrong by a third. The
  // seed is fixed and its phases are ordinary, so the limits of the clustering are narrower.
  const auto hosts = isolated_galaxies(catalog, 11.08, 11.75);
  const CellCounts counts = cell_counts(catalog, hosts, 25);
  EXPECT_EQ(counts.cells, 1000);
  EXPECT_NEAR(counts.variance, 0.251, 0.045);
  EXPECT_NEAR(counts.mean, 9.74, 1.6);  // the mock has 11.1: 2LPT has fewer close pairs to reject

  const auto variance = [&](double low, double high) {
    std::vector<std::int64_t> rows;
    const auto v = catalog.column("vpeak");
    const auto upid = catalog.integer_column("upid");
    for (std::size_t i = 0; i < v.size(); ++i)
      if (upid[i] < 0 && v[i] >= low && v[i] < high) rows.push_back(static_cast<std::int64_t>(i));
    return cell_counts(catalog, rows, 25).variance;
  };
  // (Tinker et al. 2010 bias)^2 times the linear variance 0.239 of such cells is 0.13, 0.22 and 0.48.
  const double slow = variance(150, 195), middle = variance(300, 390), fast = variance(550, 715);
  EXPECT_NEAR(slow, 0.13, 0.04);
  EXPECT_GT(middle, 1.3 * slow);
  EXPECT_GT(fast, 1.3 * middle);
}

TEST(MockUniverse, SameBitsForAnyNumberOfThreadsAndEveryRun) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const Mock one = make(small_box());
  omp_set_num_threads(2);
  const Mock two = make(small_box()), again = make(small_box());
  omp_set_num_threads(before);
  EXPECT_EQ(one.catalog.columns, two.catalog.columns);
  EXPECT_EQ(one.catalog.integers, two.catalog.integers);
  EXPECT_EQ(two.catalog.columns, again.catalog.columns);
}

TEST(MockUniverse, AnotherSeedIsAnotherUniverse) {
  const Mock one = make(small_box(1)), two = make(small_box(2)),
             far = make(small_box(1 + (std::uint64_t{1} << 40)));
  ASSERT_EQ(one.catalog.rows(), two.catalog.rows());  // the number of halos is the input's
  for (const char* column : {"x", "vpeak", "stellar_mass", "spin"}) {
    EXPECT_NE(one.catalog.columns.at(column), two.catalog.columns.at(column)) << column;
    EXPECT_NE(one.catalog.columns.at(column), far.catalog.columns.at(column)) << column;
  }
}

TEST(MockUniverse, SatellitesLieInTheirHosts) {
  const Catalog catalog = make(small_box()).catalog;
  const auto id = catalog.integer_column("id"), upid = catalog.integer_column("upid");
  const auto v = catalog.column("vpeak"), mvir = catalog.column("mvir");
  int satellites = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    EXPECT_EQ(id[i], static_cast<std::int64_t>(i));
    if (upid[i] == -1) continue;
    ++satellites;
    ASSERT_GE(upid[i], 0);
    ASSERT_LT(upid[i], catalog.rows());
    const auto host = static_cast<std::size_t>(upid[i]);
    EXPECT_EQ(upid[host], -1);
    EXPECT_GT(v[host], v[i]);
    EXPECT_GT(mvir[host], mvir[i]);
    EXPECT_LE(separation(catalog, i, host),
              virial_radius(mvir[host], catalog.cosmology.omega_m) * (1 + 1e-9));
  }
  EXPECT_GT(satellites, 800);
}

TEST(MockUniverse, CentralsKeepOutOfEachOther) {
  const Catalog catalog = make(small_box()).catalog;
  const auto upid = catalog.integer_column("upid");
  const auto mvir = catalog.column("mvir");
  std::vector<std::size_t> centrals;
  for (std::size_t i = 0; i < upid.size() && centrals.size() < 1000; ++i)
    if (upid[i] < 0) centrals.push_back(i);
  for (std::size_t i = 1; i < centrals.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      ASSERT_GE(separation(catalog, centrals[i], centrals[j]),
                virial_radius(mvir[centrals[j]], catalog.cosmology.omega_m) * (1 - 1e-9));
}

TEST(MockUniverse, UnitsAndRangesAreThoseOfTheCatalog) {
  Catalog catalog = make(small_box()).catalog;
  EXPECT_EQ(catalog.box_size, 62.5);
  EXPECT_EQ(catalog.boxes, 1);
  EXPECT_EQ(catalog.redshift, 0);
  EXPECT_EQ(catalog.rows(), std::llround(cumulative_density(150) * std::pow(62.5, 3)));
  for (const char* axis : {"x", "y", "z"}) {
    const auto x = catalog.column(axis);
    EXPECT_GE(*std::min_element(x.begin(), x.end()), 0);
    EXPECT_LT(*std::max_element(x.begin(), x.end()), 62.5);
  }
  const auto median = [&](const char* name) {
    std::vector<double> values(catalog.column(name).begin(), catalog.column(name).end());
    std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
    return values[values.size() / 2];
  };
  EXPECT_NEAR(median("vpeak"), velocity_at_density(cumulative_density(150) / 2), 3);  // km/s
  EXPECT_NEAR(std::log10(median("mpeak")), 11.92, 0.1);                               // Msun/h of 188 km/s
  EXPECT_NEAR(std::log10(median("stellar_mass")), 10.4, 0.15);                        // Msun
  EXPECT_EQ(validate(catalog, "the mock").wrapped, 0);
  EXPECT_NO_THROW(column_kind("halfmass_scale"));
}

TEST(MockUniverse, StellarMassFollowsVpeakWithTheScatter) {
  const Catalog catalog = middle_box().catalog;
  const auto v = catalog.column("vpeak"), mass = catalog.column("stellar_mass");
  double sum = 0, squares = 0, count = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (v[i] < 300 || v[i] > 306) continue;  // 0.009 dex: the relation itself moves by 0.02 dex
    const double m = std::log10(mass[i]);
    sum += m, squares += m * m, count += 1;
  }
  ASSERT_GT(count, 100);
  EXPECT_NEAR(std::sqrt(squares / count - sum / count * sum / count), 0.2, 4 * 0.2 / std::sqrt(2 * count));
}

TEST(MockUniverse, ReachesDownToSlowHalos) {
  Options options = small_box();
  options.min_vpeak = 60;
  const Mock mock = make(options);
  EXPECT_EQ(mock.catalog.rows(), std::llround(cumulative_density(60) * std::pow(62.5, 3)));
  EXPECT_LE(mock.crowded, mock.catalog.rows() / 100);
  for (const Figure& figure : quality(mock.catalog, 60))
    EXPECT_LT(std::abs(figure.deviation()), 4) << figure.name;  // 0 where a figure has no limit
}

TEST(MockUniverse, AbsurdSizesEndInOneSentence) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const double sizes[][2] = {{0, 150},   {-250, 150}, {1e6, 150}, {nan, 150}, {infinity, 150}, {250, 0},
                             {250, nan}, {250, -1},   {250, 1e9}, {1000, 50}, {25, 1000},      {1e-300, 150}};
  for (const auto& [box, velocity] : sizes) {
    Options options;
    options.box_size = box;
    options.min_vpeak = velocity;
    try {
      make(options);
      ADD_FAILURE() << "a box of " << box << " Mpc/h above " << velocity << " km/s was accepted";
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("expected"), std::string::npos) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    }
  }
}

TEST(MockQuality, NoticesAWrongMock) {
  // The same halos with other masses, other satellites or no clustering must be detected.
  Catalog heavy = middle_box().catalog, orphaned = heavy, shuffled = heavy;
  for (double& m : heavy.columns["stellar_mass"]) m *= 1.2;
  for (std::int64_t& upid : orphaned.integers["upid"]) upid = upid > 100 ? -1 : upid;
  const Rng rng(9, Purpose::kTest);
  for (const char* axis : {"x", "y", "z"})
    for (std::size_t i = 0; i < shuffled.columns[axis].size(); ++i)
      shuffled.columns[axis][i] = 125 * rng.stream(static_cast<std::uint64_t>(*axis)).uniform(i);
  const auto worst = [](const Catalog& catalog, const std::string& name) {
    double largest = 0;
    for (const Figure& figure : quality(catalog, 150))
      if (figure.name.starts_with(name)) largest = std::max(largest, std::abs(figure.deviation()));
    return largest;
  };
  EXPECT_GT(worst(heavy, "galaxies per dex"), 5);
  EXPECT_GT(worst(orphaned, "satellite fraction"), 5);
  EXPECT_GT(worst(shuffled, "isolated hosts: variance"), 4);
}

TEST(MockQuality, IsolationAndCellsByHand) {
  Catalog catalog;
  catalog.box_size = 100;
  //                       dominated, its master, far along z, far across, across the boundary, its master,
  //                       too light
  catalog.columns["x"] = {10, 11, 10.5, 14, 99.9, 0.5, 50};
  catalog.columns["y"] = {10, 10, 10, 10, 50, 50, 50};
  catalog.columns["z"] = {10, 15, 26, 10, 1, 99, 50};
  catalog.columns["stellar_mass"] = {2e11, 3e11, 2e11, 2e11, 2e11, 4e11, 1e10};
  EXPECT_EQ(isolated_galaxies(catalog, 11.08, 11.75), (std::vector<std::int64_t>{1, 2, 3, 5}));
  // Eight cells of 50 Mpc/h: three galaxies in one, one in another.
  const CellCounts counts = cell_counts(catalog, {1, 2, 3, 5}, 50);
  EXPECT_EQ(counts.cells, 8);
  EXPECT_EQ(counts.mean, 0.5);
  EXPECT_DOUBLE_EQ(counts.variance, (10.0 / 8 - 0.25 - 0.5) / 0.25);
  EXPECT_EQ(cell_counts(catalog, {}, 50).variance, 0);
  EXPECT_EQ(cell_counts(catalog, {1}, 150).cells, 0);
}

}  // namespace
}  // namespace umbra::mock

// The oracles of evaluate on catalogs whose expectations are known in closed form, and the halos of summaries.
#include "models/tasks/smf/oracle.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <numeric>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "models/tasks/smf/baselines.h"
#include "models/tasks/smf/summaries.h"

namespace umbra {
namespace {

constexpr double kSide = 4;  // sub-boxes along a side of the catalog
constexpr std::size_t kBins = 2;

// P(a halo has a galaxy in the bin | log10 of its vpeak): a straight line and a logistic function.
double probability(double x, std::size_t bin) {
  return bin == 0 ? 0.1 + 0.5 * (x - 2.2) : 0.3 / (1 + std::exp(-12 * (x - 2.5)));
}

// `per_box` halos in each of 64 sub-boxes of 25 Mpc/h. Voxel `place` of each sub-box holds halos `place * together` to
// (place + 1) * together - 1, all with the same vpeak.
Catalog toy(std::size_t per_box, std::size_t together) {
  Catalog catalog;
  catalog.box_size = 25 * kSide;
  const Rng rng(7, Purpose::kTest);
  std::uint64_t draw = 0;
  for (std::size_t box = 0; box < 64; ++box) {
    double log_vpeak = 0;
    for (std::size_t i = 0; i < per_box; ++i) {
      if (i % together == 0)
        log_vpeak = 2.2 + 0.5 * rng.uniform(draw++) * (1 + static_cast<double>(box % 3)) / 3;
      const std::size_t voxel = i / together;
      catalog.columns["x"].push_back(25 * static_cast<double>(box / 16) + static_cast<double>(voxel / 625) +
                                     0.5);
      catalog.columns["y"].push_back(25 * static_cast<double>(box / 4 % 4) +
                                     static_cast<double>(voxel / 25 % 25) + 0.5);
      catalog.columns["z"].push_back(25 * static_cast<double>(box % 4) + static_cast<double>(voxel % 25) +
                                     0.5);
      catalog.columns["vpeak"].push_back(std::pow(10, log_vpeak));
      const double u = rng.uniform(draw++), first = probability(log_vpeak, 0);
      const double mass = u < first                               ? 2e10
                          : u < first + probability(log_vpeak, 1) ? 2.4e10
                                                                  : 0;  // 10.30, 10.38
      catalog.columns["stellar_mass"].push_back(mass);
    }
  }
  return catalog;
}

BoxOptions toy_options() {
  BoxOptions options;
  options.smf_min = 10.25;
  options.smf_bins = kBins;
  return options;
}

std::vector<std::int64_t> boxes_with(bool of_training) {
  std::vector<std::int64_t> boxes;
  for (std::int64_t box = 0; box < 64; ++box)
    if ((box % 4 != 3) == of_training) boxes.push_back(box);
  return boxes;
}
const std::vector<std::int64_t> kTrain = boxes_with(true), kWanted = boxes_with(false);

// The expectation itself. [wanted, bins]
std::vector<double> exact(const Catalog& catalog) {
  const std::size_t per_box = static_cast<std::size_t>(catalog.rows()) / 64;
  std::vector<double> phi;
  for (const std::int64_t box : kWanted)
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      double sum = 0;
      for (std::size_t i = 0; i < per_box; ++i)
        sum += probability(
            std::log10(catalog.columns.at("vpeak")[static_cast<std::size_t>(box) * per_box + i]), bin);
      phi.push_back(sum / std::pow(25.0, 3));
    }
  return phi;
}

// The mean over boxes of the sum over bins of the square of the difference over sigma.
double distance(const std::vector<double>& a, const std::vector<double>& b, const BoxSet& boxes) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += std::pow((a[i] - b[i]) / static_cast<double>(boxes.sigma[i % kBins]), 2);
  return sum / static_cast<double>(kWanted.size());
}

TEST(OracleTest, FindsTheExpectationGivenEveryHalo) {
  const Catalog catalog = toy(300, 1);
  const BoxSet boxes = make_boxes(catalog, toy_options());
  const std::vector<Oracle> found = oracles(catalog, boxes, kTrain, kWanted);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, kHaloOracleName);
  const std::vector<double> expected = exact(catalog);
  const double poisson = poisson_chi2(boxes, kWanted),
               error = distance(found[0].predictions, expected, boxes);
  EXPECT_LT(error, 0.05 * poisson);       // the halos of 48 boxes say what those of one do
  EXPECT_GT(found[0].excess, error / 4);  // how large the error is, the jackknife knows to within a factor
  EXPECT_LT(found[0].excess, error * 4);
  // One halo in every voxel: its vpeak is the voxel's.
  EXPECT_EQ(found[1].name, kVoxelOracleName);
  EXPECT_LT(distance(found[1].predictions, found[0].predictions, boxes), 1e-6 * poisson);
}

// Two halos with the same vpeak in every voxel: the voxel has twice as many galaxies, and the map does not show why.
TEST(OracleTest, KnowsHowManyGalaxiesAVoxelHolds) {
  const Catalog catalog = toy(300, 2);
  const BoxSet boxes = make_boxes(catalog, toy_options());
  const std::vector<Oracle> found = oracles(catalog, boxes, kTrain, kWanted);
  EXPECT_LT(distance(found[1].predictions, exact(catalog), boxes), 0.06 * poisson_chi2(boxes, kWanted));
}

// Below min_vpeak the catalog has halos, which the map has not: they add the mean of the training boxes.
TEST(OracleTest, HalosBelowTheCutCountOneByOneOrOnAverage) {
  const Catalog catalog = toy(300, 1);
  BoxOptions options = toy_options();
  options.min_vpeak = 1e4;
  const BoxSet boxes = make_boxes(catalog, options);
  const std::vector<Oracle> found = oracles(catalog, boxes, kTrain, kWanted);
  EXPECT_LT(distance(found[0].predictions, exact(catalog), boxes), 0.05 * poisson_chi2(boxes, kWanted));
  std::vector<double> mean(kBins, 0.0);
  for (const std::int64_t box : kTrain)
    for (std::size_t bin = 0; bin < kBins; ++bin)
      mean[bin] += static_cast<double>(boxes.smf[static_cast<std::size_t>(box) * kBins + bin]) /
                   static_cast<double>(kTrain.size());
  for (std::size_t i = 0; i < found[1].predictions.size(); ++i)
    EXPECT_NEAR(found[1].predictions[i], mean[i % kBins], 1e-6 * mean[i % kBins]);
}

TEST(OracleTest, NothingOfTheOtherBoxesButTheirHalosMatters) {
  Catalog catalog = toy(100, 1);
  const BoxSet boxes = make_boxes(catalog, toy_options());
  omp_set_num_threads(1);
  const std::vector<Oracle> before = oracles(catalog, boxes, kTrain, kWanted);
  for (std::size_t i = 0; i < 6400; ++i)
    if (i / 100 % 4 == 3) catalog.columns["stellar_mass"][i] = 2e10;
  omp_set_num_threads(3);
  const std::vector<Oracle> after = oracles(catalog, make_boxes(catalog, toy_options()), kTrain, kWanted);
  for (std::size_t o = 0; o < 2; ++o) {
    EXPECT_EQ(before[o].predictions, after[o].predictions);
    EXPECT_EQ(before[o].excess, after[o].excess);
  }
  EXPECT_THROW(oracles(catalog, boxes, {0, 1, 2, 4, 5}, kWanted), Error);
}

TEST(SummaryHalosTest, TheFirstColumnIsTheAxisAndOtherQuantitiesFollow) {
  Catalog catalog = toy(10, 1);
  for (const double vpeak : catalog.columns["vpeak"]) catalog.columns["mvir"].push_back(2e10 * vpeak);
  BoxOptions options;
  options.features = {"occupancy", "residual(mvir)", "log10(mvir)", "vpeak", "count"};
  options.references = {12, 1, 0};
  options.voxels = 3;
  const BoxHalos halos = summary_halos(catalog, options);
  ASSERT_EQ(halos.values.size(), 3U);
  EXPECT_EQ(halos.values[0][17], catalog.columns["vpeak"][17]);
  EXPECT_NEAR(halos.values[1][17], std::log10(4e12) - 12, 1e-12);  // mvir is proportional to vpeak
  EXPECT_EQ(halos.values[2][17], std::log10(catalog.columns["mvir"][17]));
  EXPECT_EQ(halos.voxel[17], 7);  // of 1 Mpc/h: the eighth along z
  options.references.clear();
  options.features = {"log10(vpeak)", "is_satellite"};  // a flag is no axis
  for (std::int64_t row = 0; row < catalog.rows(); ++row)
    catalog.integers["upid"].push_back(row % 2 == 0 ? -1 : 5);
  const BoxHalos flagged = summary_halos(catalog, options);
  ASSERT_EQ(flagged.values.size(), 3U);
  EXPECT_EQ(flagged.values[0], catalog.columns["vpeak"]);
  EXPECT_EQ(flagged.values[2][16], 0);
  EXPECT_EQ(flagged.values[2][17], 1);
  options.features = {"count"};
  EXPECT_EQ(summary_halos(catalog, options).values, Matrix{catalog.columns["vpeak"]});
}

}  // namespace
}  // namespace umbra

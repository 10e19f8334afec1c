// The chi^2 of Poisson noise against counts that are drawn from Poisson distributions.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "data/boxes/label.h"
#include "models/tasks/smf/baselines.h"

namespace umbra {
namespace {

constexpr std::int64_t kBoxes = 20'000;
constexpr double kExpected[] = {12, 3, 0.4};  // galaxies per box and bin

BoxSet drawn_boxes(bool per_dex) {
  BoxSet boxes;
  boxes.options.subbox_size = 20;
  boxes.options.smf_bins = 3;
  boxes.options.per_dex = per_dex;
  boxes.count = kBoxes;
  const double unit = per_dex ? boxes.options.smf_width : 1.0;
  for (const double sigma : {4e-4, 2e-4, 8e-5}) boxes.sigma.push_back(static_cast<float>(sigma / unit));
  std::mt19937_64 random(1);
  for (std::int64_t box = 0; box < kBoxes; ++box) {
    for (const double expected : kExpected)
      boxes.smf.push_back(
          smf_label(std::poisson_distribution<std::int64_t>(expected)(random), boxes.options));
  }
  return boxes;
}

std::vector<std::int64_t> from_to(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> boxes(static_cast<std::size_t>(last - first));
  std::iota(boxes.begin(), boxes.end(), first);
  return boxes;
}

TEST(PoissonChi2, IsWhatTheExpectationScores) {
  const BoxSet boxes = drawn_boxes(false);
  double chi2 = 0;
  for (std::size_t i = 0; i < boxes.smf.size(); ++i) {
    const double expected = kExpected[i % 3] / std::pow(boxes.options.subbox_size, 3);
    chi2 +=
        std::pow((static_cast<double>(boxes.smf[i]) - expected) / static_cast<double>(boxes.sigma[i % 3]), 2);
  }
  chi2 /= kBoxes;
  // The relative standard error of a sum of squares of about three equal parts is below 1 %.
  EXPECT_NEAR(poisson_chi2(boxes, from_to(0, kBoxes)), chi2, 0.03 * chi2);
}

TEST(PoissonChi2, IsTheSameForDensitiesPerDex) {
  const double per_bin = poisson_chi2(drawn_boxes(false), from_to(0, kBoxes));
  EXPECT_NEAR(poisson_chi2(drawn_boxes(true), from_to(0, kBoxes)), per_bin, 1e-5 * per_bin);
}

TEST(PoissonChi2, IsTheMeanOverTheWantedBoxes) {
  const BoxSet boxes = drawn_boxes(false);
  const double first = poisson_chi2(boxes, from_to(0, 10)), second = poisson_chi2(boxes, from_to(10, 30));
  EXPECT_NE(first, second);
  EXPECT_NEAR(poisson_chi2(boxes, from_to(0, 30)), (first + 2 * second) / 3, 1e-9 * first);
}

}  // namespace
}  // namespace umbra

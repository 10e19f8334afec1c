// Importances: known results for noise, for copies and for explained variance.
#include "models/forest/importance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/base/philox.h"

namespace umbra {
namespace {

// y = sin(6 x0) + noise; x1 is a near copy of x0; x2 is noise.
struct Sample {
  explicit Sample(std::uint64_t seed, std::size_t rows = 1200) : columns(3), target(rows) {
    const Rng rng(seed, Purpose::kTest);
    for (std::size_t i = 0; i < rows; ++i) {
      const double x = rng.uniform(10 * i);
      columns[0].push_back(x);
      columns[1].push_back(x + 0.01 * rng.normal(10 * i + 1));
      columns[2].push_back(rng.uniform(10 * i + 2));
      target[i] = std::sin(6 * x) + 0.5 * rng.normal(10 * i + 3);
    }
    for (std::size_t f = 0; f < 3; ++f) table.add(concat("x", f), std::span<const double>(columns[f]));
  }
  ForestData data() const { return {table, target, {}, {}}; }

  std::vector<std::vector<double>> columns;
  std::vector<double> target;
  ForestTable table;
};

ForestOptions options() {
  ForestOptions o;
  o.trees = 40;
  o.max_depth = 8;
  o.min_samples_leaf = 2;
  return o;
}

TEST(ImportanceTest, NoiseMattersToTheDecreaseOfVarianceOnly) {
  constexpr int kSamples = 100;
  double biased = 0, mean[2] = {}, squares[2] = {};
  for (int s = 0; s < kSamples; ++s) {
    const Sample sample(100 + static_cast<std::uint64_t>(s));
    const Forest forest = fit_forest(sample.data(), options());
    biased += decrease_of_variance(forest).mean[2] / kSamples;
    const double of[2] = {unbiased_decrease(forest, sample.data()).mean[2],
                          permutation(forest, sample.data(), single_columns(forest)).mean[2]};
    for (int k = 0; k < 2; ++k) {
      mean[k] += of[k] / kSamples;
      squares[k] += of[k] * of[k] / kSamples;
    }
  }
  EXPECT_GT(biased, 0.05);
  for (int k = 0; k < 2; ++k) {  // over independent samples: trees fitted to one sample are correlated
    const double error = std::sqrt((squares[k] - mean[k] * mean[k]) / (kSamples - 1));
    EXPECT_LT(std::abs(mean[k]), (2 + k) * error) << k << ": " << mean[k] << " +- " << error;
    EXPECT_LT(error, 0.01);
  }
}

TEST(ImportanceTest, UnbiasedDecreaseAddsUpToWhatIsExplained) {
  const Sample sample(3, 4000);
  OutOfBagRequest oob;
  const Forest forest = fit_forest(sample.data(), options(), &oob);
  const std::vector<double> mean = unbiased_decrease(forest, sample.data()).mean;
  // A tree's covariance with unseen targets, relative to their variance: for small trees about its R^2.
  const double sum = std::accumulate(mean.begin(), mean.end(), 0.0);
  EXPECT_NEAR(sum, r_squared(sample.target, oob.results[0].prediction), 0.05);
  EXPECT_GT(mean[0] + mean[1], 30 * std::abs(mean[2]));
}

TEST(ImportanceTest, CopiesShareUnlessPermutedTogether) {
  const Sample sample(4, 4000);
  const Forest forest = fit_forest(sample.data(), options());
  const std::vector<double> alone = permutation(forest, sample.data(), single_columns(forest)).mean;
  const std::vector<double> grouped = permutation(forest, sample.data(), {{0, 1}, {2}}).mean;
  EXPECT_GT(grouped[0], 1.2 * alone[0]);
  EXPECT_GT(grouped[0], 1.2 * alone[1]);
  EXPECT_NEAR(grouped[0], 2 * 0.5 / (0.5 + 0.25), 0.25);  // twice the explained variance, of the whole
  EXPECT_THROW(permutation(forest, sample.data(), {{3}}), Error);
}

TEST(ImportanceTest, WithoutUnseenRowsThereIsNothingToMeasure) {
  const Sample sample(5, 100);
  ForestOptions o = options();
  o.bootstrap = ForestOptions::Bootstrap::kNone;
  const Forest forest = fit_forest(sample.data(), o);
  EXPECT_THROW(unbiased_decrease(forest, sample.data()), Error);
  const std::vector<double> mean = decrease_of_variance(forest).mean;
  EXPECT_NEAR(std::accumulate(mean.begin(), mean.end(), 0.0), 1, 1e-12);
}

}  // namespace
}  // namespace umbra

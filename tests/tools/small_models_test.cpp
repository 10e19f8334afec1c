// The small models of evaluate on boxes whose galaxies are drawn from known expectations.
#include "models/tasks/smf/small_models.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <numeric>
#include <random>

#include "data/boxes/label.h"
#include "models/tasks/smf/baselines.h"
#include "models/tasks/smf/gaussian_process.h"
#include "models/tasks/smf/poisson_regression.h"

namespace umbra {
namespace {

constexpr std::size_t kBoxes = 300, kBins = 3;

// The expected number of galaxies from the parameters of a box.
using Law = std::function<double(double a, double b, std::size_t bin)>;
double exponential(double a, double b, std::size_t bin) {
  return (bin == 2 ? 0 : 6) * std::pow(a, 1.5) / b;
}
// Largest in the middle of the range of a: no model that is linear in log a can follow.
double peaked(double a, double, std::size_t bin) {
  return bin == 2 ? 0 : 5 + 60 * std::exp(-8 * std::pow(std::log(a), 2));
}

BoxSet drawn_boxes(const Law& expected) {
  BoxSet boxes;
  boxes.options.voxels = 2;
  boxes.options.smf_bins = kBins;
  boxes.count = kBoxes;
  boxes.sigma.assign(kBins, 1e-4F);
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0.5, 2);
  for (std::size_t box = 0; box < kBoxes; ++box) {
    const double a = uniform(random), b = uniform(random);
    boxes.parameters["a"].push_back(a);
    boxes.parameters["b"].push_back(b);
    boxes.parameters["constant"].push_back(0.3);
    boxes.parameters["idle"].push_back(uniform(random));
    for (int voxel = 0; voxel < 8; ++voxel)
      boxes.input.push_back(static_cast<float>(150 + 100 * uniform(random)));
    boxes.halos.push_back(8);
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      const double mean = expected(a, b, bin);
      boxes.smf.push_back(
          smf_label(mean > 0 ? std::poisson_distribution<std::int64_t>(mean)(random) : 0, boxes.options));
    }
  }
  return boxes;
}

// Eight halos in each box, one per voxel, whose second feature is log a plus 0.1 times a normal number.
Summaries summaries_for(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                        bool one_feature = true) {
  BoxHalos halos;
  halos.begin = {0};
  halos.values.resize(one_feature ? 1 : 2);
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  for (std::size_t i = 0; i < boxes.input.size(); ++i) {
    halos.values[0].push_back(static_cast<double>(boxes.input[i]));
    halos.voxel.push_back(static_cast<std::int64_t>(i % 8));
    halos.bin.push_back(-1);
    if (!one_feature)
      halos.values[1].push_back(std::log(boxes.parameters.at("a")[i / 8]) + 0.1 * normal(random));
    if (i % 8 == 7) halos.begin.push_back(static_cast<std::int64_t>(i) + 1);
  }
  return summaries_of(boxes, halos, train);
}

std::vector<SmallModel> models_of(const BoxSet& boxes, const std::vector<std::int64_t>& train,
                                  const std::vector<std::int64_t>& wanted, SmallModels which) {
  return small_models(boxes, summaries_for(boxes, train), train, wanted, which);
}

std::vector<std::int64_t> from_to(std::size_t first, std::size_t last) {
  std::vector<std::int64_t> boxes(last - first);
  std::iota(boxes.begin(), boxes.end(), static_cast<std::int64_t>(first));
  return boxes;
}
const std::vector<std::int64_t> kTrain = from_to(0, 200), kWanted = from_to(200, kBoxes);

const std::vector<double>& predictions_of(const std::vector<SmallModel>& models, const std::string& name) {
  for (const SmallModel& model : models)
    if (model.name == name) return model.predictions;
  ADD_FAILURE() << name;
  return models.front().predictions;
}

// Mean square distance from the expectation, in galaxies.
double error(const BoxSet& boxes, const std::vector<double>& phi, const Law& expected) {
  double sum = 0;
  for (std::size_t i = 0; i < kWanted.size(); ++i) {
    const auto box = static_cast<std::size_t>(kWanted[i]);
    for (std::size_t bin = 0; bin < kBins; ++bin)
      sum += std::pow(phi[i * kBins + bin] * boxes.options.galaxies_per_phi() -
                          expected(boxes.parameters.at("a")[box], boxes.parameters.at("b")[box], bin),
                      2);
  }
  return sum / static_cast<double>(kWanted.size());
}

TEST(SmallModels, PoissonRegressionFindsAPowerLaw) {
  const BoxSet boxes = drawn_boxes(exponential);
  const std::vector<SmallModel> models = models_of(boxes, kTrain, kWanted, SmallModels::kAll);
  const double poisson =
                   error(boxes, predictions_of(models, "Poisson regression on the parameters"), exponential),
               ridge = error(boxes, predictions_of(models, "ridge on the parameters"), exponential),
               histogram =
                   error(boxes, predictions_of(models, "Poisson regression on the histogram of the input"),
                         exponential);
  EXPECT_LT(poisson, 0.3);  // counts are 1 to 30, their noise is 2 to 5
  EXPECT_LT(poisson, ridge / 3);
  EXPECT_GT(histogram, 10);  // the input says nothing about the galaxies
}

TEST(SmallModels, AGaussianProcessFindsWhatIsNotLinear) {
  const BoxSet boxes = drawn_boxes(peaked);
  const std::vector<SmallModel> models = models_of(boxes, kTrain, kWanted, SmallModels::kAll);
  const double process = error(boxes, predictions_of(models, "Gaussian process on the parameters"), peaked),
               poisson = error(boxes, predictions_of(models, "Poisson regression on the parameters"), peaked);
  EXPECT_LT(process, 20);  // two bins with counts of 5 to 65
  EXPECT_LT(process, poisson / 5);
  // The groups are a, b and idle; only a matters.
  const GaussianProcess fitted =
      gaussian_process(boxes, summaries_for(boxes, kTrain).list[1], kTrain, kWanted);
  ASSERT_EQ(fitted.relevance.size(), 3U);
  EXPECT_GT(fitted.relevance[0], 10 * std::max(fitted.relevance[1], fitted.relevance[2]));
}

TEST(SmallModels, ABinWithoutGalaxiesStaysEmpty) {
  const BoxSet boxes = drawn_boxes(exponential);
  for (const SmallModel& model : models_of(boxes, kTrain, kWanted, SmallModels::kAll))
    for (std::size_t i = 0; i < kWanted.size(); ++i)
      EXPECT_NEAR(model.predictions[i * kBins + 2], 0, 1e-15) << model.name;
}

// The second feature of every halo is close to log a, which decides.
TEST(SmallModels, TheMeanOfAFeatureSaysWhatTheHistogramCannot) {
  const BoxSet boxes = drawn_boxes(peaked);
  const std::vector<SmallModel> models =
      small_models(boxes, summaries_for(boxes, kTrain, false), kTrain, kWanted, SmallModels::kAll);
  ASSERT_EQ(models.size(), 13U);
  const double histogram = error(
                   boxes, predictions_of(models, "Gaussian process on the histogram of the input"), peaked),
               features = error(boxes, predictions_of(models, "Gaussian process on all features"), peaked),
               both =
                   error(boxes, predictions_of(models, "Gaussian process on all features and the parameters"),
                         peaked);
  EXPECT_LT(features, histogram / 2);
  EXPECT_LT(both, features / 5);
  EXPECT_EQ(predictions_of(models, "Poisson regression on all features").size(), kWanted.size() * kBins);
}

// Nothing about the boxes to be predicted but their summaries may be used.
TEST(SmallModels, TheLabelsOfOtherBoxesDoNotMatter) {
  BoxSet boxes = drawn_boxes(exponential);
  const std::vector<SmallModel> before = models_of(boxes, kTrain, kWanted, SmallModels::kAll);
  std::fill(boxes.smf.begin() + 200 * static_cast<std::ptrdiff_t>(kBins), boxes.smf.end(), 1.0F);
  const std::vector<SmallModel> after = models_of(boxes, kTrain, kWanted, SmallModels::kAll);
  ASSERT_EQ(before.size(), 9U);
  for (std::size_t m = 0; m < before.size(); ++m) {
    EXPECT_EQ(before[m].predictions, after[m].predictions) << before[m].name;
    EXPECT_EQ(before[m].chosen, after[m].chosen) << before[m].name;
  }
}

TEST(SmallModels, SameBitsForAnyNumberOfThreads) {
  const BoxSet boxes = drawn_boxes(peaked);
  omp_set_num_threads(1);
  const std::vector<SmallModel> one = models_of(boxes, kTrain, kWanted, SmallModels::kAll);
  omp_set_num_threads(3);
  const std::vector<SmallModel> three = models_of(boxes, kTrain, kWanted, SmallModels::kAll);
  for (std::size_t m = 0; m < one.size(); ++m)
    EXPECT_EQ(one[m].predictions, three[m].predictions) << one[m].name;
}

TEST(SmallModels, WithoutParametersOrBoxesThereAreFewer) {
  BoxSet boxes = drawn_boxes(exponential);
  EXPECT_EQ(models_of(boxes, kTrain, kWanted, SmallModels::kFast).size(), 5U);
  EXPECT_EQ(
      small_models(boxes, summaries_for(boxes, kTrain, false), kTrain, kWanted, SmallModels::kFast).size(),
      5U);
  boxes.parameters.clear();
  EXPECT_EQ(models_of(boxes, kTrain, kWanted, SmallModels::kAll).size(), 4U);
  EXPECT_EQ(models_of(boxes, from_to(0, 5), kWanted, SmallModels::kAll).size(), 1U);
  EXPECT_EQ(models_of(boxes, from_to(0, 6), kWanted, SmallModels::kAll).size(), 4U);
}

}  // namespace
}  // namespace umbra

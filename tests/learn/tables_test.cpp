// The published tables have the summary statistics that others published, and sums that notice a wrong digit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "data/tables/published/iris.h"
#include "data/tables/published/old_faithful.h"
#include "test_paths.h"

namespace umbra {
namespace {

double mean(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

// The sum of products of the deviations from the means.
double products(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mean(x)) * (y[i] - mean(y));
  return sum;
}

// The sum of (i + 1) x[i], which notices a wrong order as well, in units of `unit`.
std::int64_t weighted_sum(const std::vector<double>& x, double unit) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += static_cast<std::int64_t>(i + 1) * std::llround(x[i] / unit);
  }
  return sum;
}

std::vector<double> lengths(std::size_t which, int species) {
  std::vector<double> x;
  for (const Iris& flower : iris()) {
    if (flower.species == species) x.push_back(flower.lengths[which]);
  }
  return x;
}

TEST(PublishedTables, IrisHasFiftyFlowersOfEachSpeciesAndFishersMeans) {
  // Means in cm: Fisher 1936, Table II, for setosa and versicolor; R's iris for virginica.
  const double means[3][4] = {
      {5.006, 3.428, 1.462, 0.246}, {5.936, 2.770, 4.260, 1.326}, {6.588, 2.974, 5.552, 2.026}};
  for (int species = 0; species < 3; ++species) {
    for (std::size_t j = 0; j < 4; ++j) {
      ASSERT_EQ(lengths(j, species).size(), 50U);
      EXPECT_NEAR(mean(lengths(j, species)), means[species][j], 1e-12) << species << " " << j;
    }
  }
  for (std::size_t i = 0; i < 150; ++i) EXPECT_EQ(iris()[i].species, static_cast<int>(i / 50));
}

TEST(PublishedTables, IrisHasFishersSumsOfSquaresAndProducts) {
  // Fisher 1936, Table III: within the species, setosa and versicolor together, in cm².
  const double published[4][4] = {{19.1434, 9.0356, 9.7634, 3.2394},
                                  {9.0356, 11.8658, 4.6232, 2.4746},
                                  {9.7634, 4.6232, 12.2978, 3.8794},
                                  {3.2394, 2.4746, 3.8794, 2.4604}};
  for (std::size_t j = 0; j < 4; ++j) {
    for (std::size_t k = 0; k < 4; ++k) {
      const double both = products(lengths(j, 0), lengths(k, 0)) + products(lengths(j, 1), lengths(k, 1));
      EXPECT_NEAR(both, published[j][k], 1e-9) << j << " " << k;
    }
  }
}

TEST(PublishedTables, IrisIsThePapersVersion) {
  EXPECT_EQ(iris()[34].lengths, (std::array<double, 4>{4.9, 3.1, 1.5, 0.2}));  // UCI: petal width 0.1
  EXPECT_EQ(iris()[37].lengths, (std::array<double, 4>{4.9, 3.6, 1.4, 0.1}));  // UCI: 3.1 and 1.5
  const double least[] = {4.3, 2.0, 1.0, 0.1}, most[] = {7.9, 4.4, 6.9, 2.5};  // R's summary(iris)
  const double total[] = {876.5, 458.6, 563.7, 179.9};
  const std::int64_t weighted[] = {700174, 334892, 526456, 180234};
  for (std::size_t j = 0; j < 4; ++j) {
    std::vector<double> x;
    for (const Iris& flower : iris()) x.push_back(flower.lengths[j]);
    EXPECT_EQ(*std::min_element(x.begin(), x.end()), least[j]);
    EXPECT_EQ(*std::max_element(x.begin(), x.end()), most[j]);
    EXPECT_NEAR(mean(x) * 150, total[j], 1e-9);
    EXPECT_EQ(weighted_sum(x, 0.1), weighted[j]);
  }
}

TEST(PublishedTables, OldFaithfulHasTheStatisticsOfR) {
  std::vector<double> duration, waiting;
  for (const Eruption& eruption : old_faithful()) {
    duration.push_back(eruption.duration);
    waiting.push_back(eruption.waiting);
  }
  ASSERT_EQ(duration.size(), 272U);
  // R's summary(faithful) and sd(): minimum, median, mean, maximum, standard deviation.
  const auto check = [](std::vector<double> x, double least, double median, double centre, double most,
                        double deviation) {
    EXPECT_NEAR(mean(x), centre, 0.0005);
    EXPECT_NEAR(std::sqrt(products(x, x) / 271), deviation, 0.00005);
    std::sort(x.begin(), x.end());
    EXPECT_EQ(x.front(), least);
    EXPECT_EQ((x[135] + x[136]) / 2, median);
    EXPECT_EQ(x.back(), most);
  };
  check(duration, 1.6, 4.0, 3.488, 5.1, 1.1414);
  check(waiting, 43, 76, 70.897, 96, 13.5950);
  EXPECT_EQ(weighted_sum(duration, 0.001), 130467276);
  EXPECT_EQ(weighted_sum(waiting, 1), 2634563);
  // R's lm(eruptions ~ waiting): slope, intercept and R².
  const double slope = products(waiting, duration) / products(waiting, waiting);
  EXPECT_NEAR(slope, 0.075628, 5e-7);
  EXPECT_NEAR(mean(duration) - slope * mean(waiting), -1.874016, 5e-7);
  EXPECT_NEAR(slope * products(waiting, duration) / products(duration, duration), 0.8115, 5e-5);
}

// The rows of a CSV file next to the repository, without its header; empty if there is no such file.
std::vector<std::vector<std::string>> rows_of(const std::string& name) {
  std::ifstream in(std::filesystem::path(UMBRA_SOURCE_DIR) / "../shared/data" / name);
  std::vector<std::vector<std::string>> rows;
  std::string line, cell;
  for (std::getline(in, line); std::getline(in, line);) {
    std::istringstream cells(line);
    rows.emplace_back();
    while (std::getline(cells, cell, ',')) rows.back().push_back(cell);
  }
  return rows;
}

TEST(PublishedTables, IrisIsTheCopyThatOthersPublish) {
  const auto rows = rows_of("iris/iris.csv");
  if (rows.empty()) GTEST_SKIP() << "no copy of the iris data next to the repository";
  ASSERT_EQ(rows.size(), iris().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < 4; ++j) EXPECT_EQ(std::stod(rows[i].at(j)), iris()[i].lengths[j]) << i;
    EXPECT_EQ(rows[i].at(4), kIrisSpecies[static_cast<std::size_t>(iris()[i].species)]) << i;
  }
}

TEST(PublishedTables, OldFaithfulIsTheCopyThatOthersPublish) {
  const auto rows = rows_of("old_faithful/faithful_raw.csv");
  if (rows.empty()) GTEST_SKIP() << "no copy of the eruptions next to the repository";
  ASSERT_EQ(rows.size(), old_faithful().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(std::stod(rows[i].at(0)), old_faithful()[i].duration) << i;
    EXPECT_EQ(std::stod(rows[i].at(1)), old_faithful()[i].waiting) << i;
  }
}

}  // namespace
}  // namespace umbra

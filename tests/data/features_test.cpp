// Input channels against the same numbers computed here, and reference relations against relations that are known.
#include "data/boxes/features.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "data/boxes/cut.h"
#include "tests/fixtures/box_samples.h"

namespace umbra {
namespace {

using namespace testing_boxes;

constexpr std::size_t kVolume = kVoxels * kVoxels * kVoxels;

Catalog catalog_with_hosts() {
  Catalog catalog = random_catalog(2, 2000);
  for (std::int64_t row = 0; row < catalog.rows(); ++row)
    catalog.integers["upid"].push_back(row % 3 == 0 ? 7 : -1);
  return catalog;
}

BoxSet cut(const Catalog& catalog, const std::vector<std::string>& features,
           const std::vector<double>& references = {}) {
  BoxOptions wanted = options();
  wanted.features = features;
  wanted.references = references;
  return make_boxes(catalog, wanted);
}

// The mean of `value` over the halos of every voxel, by brute force, and their number.
template <class Value>
std::pair<std::vector<float>, std::vector<float>> by_hand(const Catalog& catalog, const Value& value) {
  std::vector<double> sum(2 * 27 * kVolume), count(sum.size());
  for (std::size_t row = 0; row < static_cast<std::size_t>(catalog.rows()); ++row) {
    if (catalog.column("vpeak")[row] < 150) continue;
    std::size_t box = static_cast<std::size_t>(catalog.integer_column("box")[row]), voxel = 0;
    for (const char* axis : {"x", "y", "z"}) {
      const auto cell = static_cast<std::size_t>(catalog.column(axis)[row] / 2);
      box = box * kPerSide + cell / kVoxels;
      voxel = voxel * kVoxels + cell % kVoxels;
    }
    sum[box * kVolume + voxel] += value(row);
    count[box * kVolume + voxel] += 1;
  }
  std::vector<float> mean;
  for (std::size_t i = 0; i < sum.size(); ++i)
    mean.push_back(count[i] > 0 ? static_cast<float>(sum[i] / count[i]) : 0.0f);
  return {mean, std::vector<float>(count.begin(), count.end())};
}

std::vector<float> channel(const BoxSet& set, std::size_t feature) {
  const std::size_t features = set.options.features.size();
  std::vector<float> values;
  for (std::size_t box = 0; box < static_cast<std::size_t>(set.count); ++box) {
    const auto begin = set.input.begin() + static_cast<std::ptrdiff_t>((box * features + feature) * kVolume);
    values.insert(values.end(), begin, begin + kVolume);
  }
  return values;
}

TEST(Features, ExpressionsOccupancyAndCount) {
  const Catalog catalog = catalog_with_hosts();
  const BoxSet set =
      cut(catalog, {"occupancy", "vpeak", "log10(mvir)", "count", "is_satellite", "mvir/vpeak**3"});
  const auto vpeak = catalog.column("vpeak"), mvir = catalog.column("mvir");
  const auto [mean, count] = by_hand(catalog, [&](std::size_t row) { return std::log10(mvir[row]); });
  const std::vector<float> occupancy = channel(set, 0);
  for (std::size_t i = 0; i < count.size(); ++i) ASSERT_EQ(occupancy[i], count[i] > 0 ? 1 : 0);
  EXPECT_EQ(channel(set, 1), channel(cut(catalog, {"vpeak"}), 0));
  EXPECT_EQ(channel(set, 2), mean);
  EXPECT_EQ(channel(set, 3), count);
  EXPECT_EQ(channel(set, 4), by_hand(catalog, [](std::size_t row) { return row % 3 == 0; }).first);
  EXPECT_EQ(channel(set, 5),
            by_hand(catalog, [&](std::size_t row) { return mvir[row] / std::pow(vpeak[row], 3); }).first);
}

TEST(Features, ResidualsAreRelativeToTheReference) {
  const Catalog catalog = catalog_with_hosts();
  const std::vector<double> c{11.5, 3.1, -0.7}, d{1, 2, 3};
  const BoxSet set =
      cut(catalog, {"residual(mvir)", "vpeak", "residual( vpeak**2 )"}, {11.5, 3.1, -0.7, 1, 2, 3});
  const auto vpeak = catalog.column("vpeak"), mvir = catalog.column("mvir");
  const auto expect = [&](std::size_t feature, const std::vector<double>& of, const auto& quantity) {
    const auto mean = by_hand(catalog, [&](std::size_t row) {
                        const double w = std::log10(vpeak[row] / 200);
                        return std::log10(quantity(row)) - (of[0] + of[1] * w + of[2] * w * w);
                      }).first;
    const std::vector<float> got = channel(set, feature);
    for (std::size_t i = 0; i < mean.size(); ++i) ASSERT_NEAR(got[i], mean[i], 1e-6) << feature;
  };
  expect(0, c, [&](std::size_t row) { return mvir[row]; });
  expect(2, d, [&](std::size_t row) { return vpeak[row] * vpeak[row]; });
  expect_message([&] { cut(catalog, {"residual(mvir)"}); },
                 {"0 numbers", "3 are expected", "fit_references"});
}

TEST(Features, TheReferenceIsFittedToTrainingBoxesAlone) {
  Catalog catalog = random_catalog(1, 3000);
  const auto vpeak = catalog.column("vpeak");
  std::vector<double>& mvir = catalog.columns["mvir"];
  BoxOptions wanted = options();
  wanted.features = {"vpeak", "residual(mvir)"};
  std::vector<std::int64_t> train;
  for (std::int64_t box = 0; box < 27; box += 2) train.push_back(box);
  for (std::size_t row = 0; row < vpeak.size(); ++row) {
    const double w = std::log10(vpeak[row] / 200);
    mvir[row] = std::pow(10, 12 + 3 * w + 0.5 * w * w);
    std::int64_t box = 0;
    for (const char* axis : {"x", "y", "z"})
      box = box * 3 + static_cast<std::int64_t>(catalog.column(axis)[row] / 8);
    if (box % 2 == 1 || vpeak[row] < 150) mvir[row] *= 40;  // must have no influence
  }
  const std::vector<double> fitted = fit_references(catalog, wanted, train);
  ASSERT_EQ(fitted.size(), 3u);
  EXPECT_NEAR(fitted[0], 12, 1e-9);
  EXPECT_NEAR(fitted[1], 3, 1e-9);
  EXPECT_NEAR(fitted[2], 0.5, 1e-8);
  wanted.features = {"vpeak"};
  EXPECT_TRUE(fit_references(catalog, wanted, train).empty());
}

TEST(Features, TheFitIsRobustAndKnowsItsLimits) {
  std::vector<double> w, y;
  const Rng rng(3, Purpose::kTest);
  for (std::uint64_t i = 0; i < 4000; ++i) {
    w.push_back(rng.uniform(4 * i) - 0.2);
    y.push_back(10 + 2 * w.back() - w.back() * w.back() + 0.1 * (rng.uniform(4 * i + 1) - 0.5));
    if (i % 20 == 0) y.back() -= 5;  // 5 % far below: least squares would be low by 0.25
  }
  const std::vector<double> fitted = fit_reference(w, y);
  EXPECT_NEAR(fitted[0], 10, 0.01);
  EXPECT_NEAR(fitted[1], 2, 0.05);
  EXPECT_NEAR(fitted[2], -1, 0.08);
  EXPECT_EQ(fit_reference(w, y), fitted);
  using Three = std::vector<double>;
  EXPECT_EQ(fit_reference({}, {}), (Three{0, 0, 0}));
  const Three one = fit_reference(Three{0.3, 0.3}, Three{4, 6});  // a curve through one place is a constant
  EXPECT_NEAR(one[0], 5, 1e-12);
  EXPECT_EQ(one[1], 0);
  EXPECT_EQ(one[2], 0);
}

TEST(Features, MistakesGetTheNearestName) {
  const auto wrong = [](const std::string& text, std::initializer_list<std::string> parts) {
    expect_message([&] { parse_feature(text, "data.features"); }, parts);
  };
  wrong("vpaek", {"data.features: ", "no column 'vpaek'", "did you mean 'vpeak'?"});
  wrong("log10(mvri)", {"'mvri'", "did you mean 'mvir'?"});
  wrong("ocupancy", {"did you mean 'occupancy'?"});
  wrong("resdual(mvir)", {"position 1", "'resdual' is not a function", "did you mean 'residual'?"});
  wrong("neighbors(2)", {"'neighbors(2)' is not a feature", "did you mean 'neighbours(2)'"});
  wrong("log(mvir)", {"'log' is not a function", "did you mean 'log10'?"});
  wrong("residual(mvir)+1", {"'residual(…)' cannot be a part of an expression"});
  wrong("residual(mvir)*(vpeak)", {"'residual(…)' cannot be a part"});
  wrong("residual(log10(mvir))", {"residual(mvir) is expected"});
  wrong("count/2", {"'count' is a feature of its own"});
  wrong("log10(upid)", {"no column 'upid'"});
  wrong("2", {"a column is expected"});
  wrong("", {"position 1", "the text ends"});
  wrong("vpeak mvir", {"position 7", "an operator (+ - * / **) is expected"});
  EXPECT_EQ(parse_feature(" residual ( rmax/vpeak ) ", "f").value.text(), "rmax/vpeak");
}

TEST(Features, WhatIsNotFiniteNamesTheHalo) {
  Catalog catalog = random_catalog(1, 50);
  catalog.columns["mvir"][3] = 0;
  catalog.columns["vpeak"][3] = 100;  // below the cut: no halo of the input
  EXPECT_NO_THROW(cut(catalog, {"log10(mvir)"}));
  catalog.columns["vpeak"][3] = 231;
  expect_message(
      [&] {
        cut(catalog, {"vpeak", "log10(mvir)"});
      },
      {"feature 'log10(mvir)' is -inf", "a halo with mvir 0"});
  expect_message([&] { cut(catalog, {"is_satellite"}); }, {"'upid'", "present"});
  expect_message([&] { cut(catalog, {"log10(rmax)"}); }, {"'rmax'", "present"});
}

}  // namespace
}  // namespace umbra

// Catalogs as data for a forest: the network's sub-boxes and split, the paper's columns, training rows.
#include "tools/common/forest_data.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/mock/mock.h"
#include "models/tasks/smf/settings.h"

namespace umbra {
namespace {

const Catalog& universe() {
  static const Catalog catalog = [] {
    mock::Options options;
    options.box_size = 75;
    options.seed = 5;
    return mock::make(options).catalog;
  }();
  return catalog;
}

template <class Call>
void expect_error(const Call& call, const std::vector<std::string>& words) {
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    const std::string sentence = error.what();
    for (const std::string& word : words) EXPECT_NE(sentence.find(word), std::string::npos) << sentence;
  }
}

TEST(ForestData, HalosStandInTheSubBoxesOfTheNetwork) {
  BoxOptions options;
  options.voxels = 5;
  options.min_vpeak = 180;
  const BoxSet boxes = make_boxes(universe(), options);
  const ForestHalos halos = forest_halos(universe(), {}, 180, options.subbox_size, HaloChoice::kAll);
  EXPECT_EQ(halos.boxes, boxes.count);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(boxes.count), 0);
  for (const std::int64_t box : halos.box) ++counts[static_cast<std::size_t>(box)];
  EXPECT_EQ(counts, boxes.halos);
}

TEST(ForestData, TheInnerFoldsAreThoseOfTheNetwork) {
  const ForestHalos halos = forest_halos(universe(), {}, 150, 25);
  ForestSplit split;
  split.rule.folds = 3;
  split.rule.fold = 1;
  const std::vector<std::uint8_t> training = training_rows(halos, split);
  const std::vector<int> fold_of = inner_folds_of_rows(halos, training, split, 4);
  SplitRule rule = split.rule;
  rule.inner_folds = 4;
  for (rule.inner_fold = 0; rule.inner_fold < 4; ++rule.inner_fold) {
    const std::vector<std::int64_t> boxes = split_boxes(halos.boxes, halos.per_cube, rule).validation;
    for (std::size_t i = 0; i < fold_of.size(); ++i)
      ASSERT_EQ(fold_of[i] == rule.inner_fold, std::binary_search(boxes.begin(), boxes.end(), halos.box[i]))
          << i;
  }
  for (std::size_t i = 0; i < fold_of.size(); ++i) ASSERT_EQ(fold_of[i] == -1, training[i] == 0) << i;
  expect_error([&] { inner_folds_of_rows(halos, training, split, 19); },
               {"data.inner_folds=19: fold 1 leaves only 18 sub-boxes"});
  ForestSplit again = split;  // a run that chooses settings
  again.rule.inner_folds = 3;
  const std::vector<std::uint8_t> inner = training_rows(halos, again);
  const std::vector<int> of_inner = inner_folds_of_rows(halos, inner, again, 4);
  EXPECT_EQ(*std::max_element(of_inner.begin(), of_inner.end()), 3);
  for (std::size_t i = 0; i < inner.size(); ++i) ASSERT_EQ(of_inner[i] == -1, inner[i] == 0) << i;
  split = {ForestSplit::By::kHalos, {}};
  const std::vector<int> of_halos = inner_folds_of_rows(halos, training_rows(halos, split), split, 27);
  EXPECT_EQ(*std::max_element(of_halos.begin(), of_halos.end()), 26) << "galaxies of all sub-boxes";
}

TEST(ForestData, TheSplitIsThatOfTheNetwork) {
  const ForestHalos halos = forest_halos(universe(), {}, 150, 25);
  const std::vector<std::uint8_t> training = training_rows(halos, {});
  const SampleSplit split = SmfSettings().split(halos.boxes, halos.per_cube);
  ASSERT_EQ(split.validation.size(), 5U);
  std::int64_t left_out = 0;
  for (std::size_t i = 0; i < training.size(); ++i) {
    const bool validates = std::binary_search(split.validation.begin(), split.validation.end(), halos.box[i]);
    ASSERT_EQ(training[i] == 0, validates) << i;
    left_out += validates ? 1 : 0;
  }
  EXPECT_GT(left_out, 100);
}

TEST(ForestData, ASplitOfHalosHasTheShareAskedFor) {
  const ForestHalos halos = forest_halos(universe(), {}, 150, 25);
  const auto by_halos = [&](double fraction, std::uint64_t seed) {
    return training_rows(halos, {ForestSplit::By::kHalos, {fraction, seed, 0, 0, {}}});
  };
  const std::vector<std::uint8_t> some = by_halos(0.7, 1);
  EXPECT_EQ(std::count(some.begin(), some.end(), 1), std::llround(0.7 * static_cast<double>(halos.rows())));
  EXPECT_EQ(some, by_halos(0.7, 1));
  EXPECT_NE(some, by_halos(0.7, 2));
  const std::vector<std::uint8_t> all = by_halos(1, 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), 1), halos.rows());
  expect_error([&] { by_halos(0, 1); }, {"train-fraction", "0"});
  expect_error([&] { by_halos(1.5, 1); }, {"train-fraction", "1.5"});
}

TEST(ForestData, ColumnsAreTheCatalogs) {
  const ForestHalos halos = forest_halos(universe(), {"spin", "upid", "is_satellite"}, 200, 25);
  const auto vpeak = universe().column("vpeak"), spin = universe().column("spin"),
             mass = universe().column("stellar_mass");
  const auto upid = universe().integer_column("upid");
  ASSERT_GT(halos.rows(), 100);
  EXPECT_LT(halos.rows(), universe().rows());
  for (std::size_t i = 0; i < halos.row.size(); ++i) {
    const auto row = static_cast<std::size_t>(halos.row[i]);
    ASSERT_GE(vpeak[row], 200);
    ASSERT_EQ(halos.columns[0][i], static_cast<float>(spin[row]));
    ASSERT_EQ(halos.columns[1][i], static_cast<float>(upid[row]));
    ASSERT_EQ(halos.columns[2][i], upid[row] == -1 ? 0 : 1);
    ASSERT_EQ(halos.log_mass[i], std::log10(mass[row]));
  }
  EXPECT_NEAR(halos.target(ForestTarget::kLinear)[7], std::pow(10, halos.log_mass[7]), 1);
  EXPECT_EQ(as_log_mass({100, 0.5, -3}, ForestTarget::kLinear), (std::vector<double>{2, 0, 0}));
  EXPECT_EQ(as_log_mass({100, -3}, ForestTarget::kLog10), (std::vector<double>{100, -3}));
}

TEST(ForestData, WithoutNamesThePapersColumnsThatAreThere) {
  EXPECT_EQ(forest_halos(universe(), {}, 150, 25).features, kPaperFeatures);
  Catalog small = universe();
  small.columns.erase("vacc");
  small.integers.erase("upid");
  EXPECT_EQ(forest_halos(small, {}, 150, 25).features,
            (std::vector<std::string>{"vpeak", "mpeak", "macc", "mvir", "spin", "halfmass_scale"}));
  expect_error([&] { forest_halos(small, {"vpeak", "vacc"}, 150, 25); }, {"no column vacc"});
  expect_error([&] { forest_halos(small, {"is_satellite"}, 150, 25); }, {"upid", "is_satellite"});
}

TEST(ForestData, ColumnsThatMustNotBeSeenAreRefused) {
  const auto with = [&](const std::vector<std::string>& features) {
    forest_halos(universe(), features, 150, 25);
  };
  expect_error([&] { with({"stellar_mass"}); }, {"stellar_mass", "not a halo property"});
  expect_error([&] { with({"vpeak", "x"}); }, {"x is not a halo property"});
  expect_error([&] { with({"colour"}); }, {"colour"});
  expect_error([&] { with({"vpeak", "vpeak"}); }, {"twice"});
  expect_error([&] { forest_halos(universe(), {}, 1e6, 25); }, {"no halo has vpeak >= 1000000"});
  expect_error([&] { forest_halos(universe(), {}, 150, 40); }, {"40", "divide"});
}

// Some halos of a catalog have no galaxy: they are predicted but never used for training.
TEST(ForestData, HalosWithoutAGalaxyDoNotMoveTheSplit) {
  Catalog catalog = universe();
  std::vector<double>& mass = catalog.columns["stellar_mass"];
  for (std::size_t i = 0; i < mass.size(); i += 5) mass[i] = 0;
  const ForestHalos galaxies = forest_halos(catalog, {}, 150, 25);
  const ForestHalos all = forest_halos(catalog, {}, 150, 25, HaloChoice::kAll);
  ASSERT_LT(galaxies.rows(), all.rows());
  for (const ForestSplit::By by : {ForestSplit::By::kBoxes, ForestSplit::By::kHalos}) {
    const std::vector<std::uint8_t> of_galaxies = training_rows(galaxies, {by, {0.8, 3, 0, 0, {}}}),
                                    of_all = training_rows(all, {by, {0.8, 3, 0, 0, {}}});
    EXPECT_EQ(chosen_rows(galaxies, of_galaxies).row, chosen_rows(all, of_all).row);
    EXPECT_EQ(forest_fingerprint(galaxies, of_galaxies), forest_fingerprint(all, of_all));
  }
  catalog.columns.erase("stellar_mass");
  const ForestHalos halos = forest_halos(catalog, {}, 150, 25);
  EXPECT_EQ(halos.rows(), all.rows());
  EXPECT_TRUE(halos.log_mass.empty());
  expect_error([&] { training_rows(halos, {}); }, {"stellar_mass"});
}

TEST(ForestData, TheFingerprintKnowsEveryTrainingRow) {
  ForestHalos halos = forest_halos(universe(), {}, 150, 25);
  const std::vector<std::uint8_t> training = training_rows(halos, {});
  const std::vector<double> before = forest_fingerprint(halos, training);
  const auto seen =
      static_cast<std::size_t>(std::find(training.begin(), training.end(), 1) - training.begin());
  const auto unseen =
      static_cast<std::size_t>(std::find(training.begin(), training.end(), 0) - training.begin());
  halos.columns[3][unseen] *= 2;
  halos.log_mass[unseen] += 1;
  EXPECT_EQ(forest_fingerprint(halos, training), before);
  halos.columns[3][seen] = std::nextafter(halos.columns[3][seen], 0.0F);
  const std::vector<double> other = forest_fingerprint(halos, training);
  EXPECT_NE(other, before);
  halos.log_mass[seen] = std::nextafter(halos.log_mass[seen], 0.0);
  EXPECT_NE(forest_fingerprint(halos, training), other);
}

}  // namespace
}  // namespace umbra

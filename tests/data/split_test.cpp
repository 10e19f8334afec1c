// The folds of a cross-validation: a partition that depends on the seed alone and keeps cubes together.
#include "data/boxes/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "engine/base/error.h"

namespace umbra {
namespace {

void expect_message(const std::function<void()>& call, const std::vector<std::string>& words) {
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const std::string& word : words) EXPECT_NE(message.find(word), std::string::npos) << message;
  }
}

SplitRule of_fold(std::int64_t folds, std::int64_t fold, std::uint64_t seed = 1) {
  SplitRule rule;
  rule.folds = folds;
  rule.fold = fold;
  rule.seed = seed;
  return rule;
}

TEST(Folds, AreAPartitionInEqualParts) {
  const std::vector<std::int64_t> fold_of = folds_of_boxes(896, 1, 5, 1);
  for (std::int64_t fold = 0; fold < 5; ++fold) {
    const SampleSplit split = split_boxes(896, 1, of_fold(5, fold));
    EXPECT_TRUE(split.validation.size() == 179 || split.validation.size() == 180) << fold;
    EXPECT_EQ(split.train.size() + split.validation.size(), 896U);
    EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
    for (const std::int64_t box : split.validation) EXPECT_EQ(fold_of[static_cast<std::size_t>(box)], fold);
    for (const std::int64_t box : split.train) EXPECT_NE(fold_of[static_cast<std::size_t>(box)], fold);
  }
  EXPECT_NE(folds_of_boxes(896, 1, 5, 2), fold_of);
}

// Runs that validated on a fifth of the boxes before there were folds are runs of fold 0.
TEST(Folds, TheFirstIsWhatASplitByTheShareLeavesOut) {
  EXPECT_EQ(split_boxes(896, 1, of_fold(5, 0)).validation, split_boxes(896, 0.8, 1).validation);
  EXPECT_EQ(split_boxes(1000, 1, of_fold(4, 0, 7)).train, split_boxes(1000, 0.75, 7).train);
}

// Numbers that results are published with must never change.
TEST(Folds, AreThoseOfEveryRelease) {
  EXPECT_EQ(folds_of_boxes(12, 1, 3, 1), (std::vector<std::int64_t>{1, 0, 2, 1, 2, 0, 0, 1, 2, 0, 2, 1}));
}

TEST(Folds, KeepTheSubBoxesOfACubeTogether) {
  const std::vector<std::int64_t> fold_of = folds_of_boxes(80, 8, 5, 3),
                                  of_cubes = folds_of_boxes(10, 1, 5, 3);
  for (std::size_t box = 0; box < 80; ++box) EXPECT_EQ(fold_of[box], of_cubes[box / 8]) << box;
  // A single cube has no others to be held out against: its sub-boxes are divided.
  const std::vector<std::int64_t> one = folds_of_boxes(27, 27, 3, 1);
  for (std::int64_t fold = 0; fold < 3; ++fold) EXPECT_EQ(std::count(one.begin(), one.end(), fold), 9);
}

TEST(Folds, WithoutFoldsTheRuleIsTheSplitByTheShare) {
  SplitRule rule;
  rule.seed = 9;
  EXPECT_EQ(split_boxes(64, 8, rule).validation, split_boxes(64, 0.8, 9).validation);
  rule.validation = {5, 2, 5};
  EXPECT_EQ(split_boxes(64, 8, rule).validation, (std::vector<std::int64_t>{2, 5}));
}

TEST(Folds, InnerFoldsDivideTheTrainingBoxesAgain) {
  const SampleSplit outer = split_boxes(896, 1, of_fold(5, 3));
  std::vector<std::int64_t> all;
  for (std::int64_t inner = 0; inner < 4; ++inner) {
    SplitRule rule = of_fold(5, 3);
    rule.inner_folds = 4;
    rule.inner_fold = inner;
    const SampleSplit split = split_boxes(896, 1, rule);
    EXPECT_EQ(split.train.size() + split.validation.size(), outer.train.size());
    EXPECT_NEAR(static_cast<double>(split.validation.size()), 717 / 4.0, 1);
    std::vector<std::int64_t> both = split.train;
    both.insert(both.end(), split.validation.begin(), split.validation.end());
    std::sort(both.begin(), both.end());
    EXPECT_EQ(both, outer.train) << "no box of the fold is used";
    all.insert(all.end(), split.validation.begin(), split.validation.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, outer.train);

  SplitRule cubes = of_fold(2, 0);  // 4 cubes of 8 sub-boxes: 2 train, 1 of them in the inner fold
  cubes.inner_folds = 2;
  const SampleSplit split = split_boxes(32, 8, cubes);
  ASSERT_EQ(split.validation.size(), 8U);
  EXPECT_EQ(split.validation.front() / 8, split.validation.back() / 8);
  cubes.inner_folds = 3;
  expect_message([&] { split_boxes(32, 8, cubes); }, {"data.inner_folds=3", "fold 0 leaves only 2 cubes"});
  SplitRule one_cube = of_fold(3, 0);
  one_cube.inner_folds = 2;
  EXPECT_EQ(split_boxes(27, 27, one_cube).validation.size(), 9U);
}

TEST(Folds, InnerFoldsDivideTheTrainingBoxesOfASplitByTheShare) {
  SplitRule rule;
  const SampleSplit outer = split_boxes(64, 8, rule);
  rule.inner_folds = 5;
  const SampleSplit inner = split_boxes(64, 8, rule);
  EXPECT_EQ(inner.validation.size(), 10U);
  std::vector<std::int64_t> both = inner.train;
  both.insert(both.end(), inner.validation.begin(), inner.validation.end());
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, outer.train);
  rule.inner_folds = 52;
  expect_message([&] { split_boxes(64, 8, rule); },
                 {"data.inner_folds=52", "the split leaves only 51 sub-boxes"});
  SplitRule few = rule;
  few.validation = {0, 1};
  few.inner_folds = 2;
  const SampleSplit named = split_boxes(8, 1, few);
  EXPECT_EQ(named.validation.size(), 3U);
  EXPECT_EQ(std::count(named.train.begin(), named.train.end(), 1), 0);
}

TEST(Folds, WrongArguments) {
  SplitRule inner = of_fold(5, 0);
  inner.inner_folds = 1;
  expect_message([&] { check_rule(inner); }, {"data.inner_folds=1", "2 parts or more"});
  inner.inner_folds = 2;
  inner.inner_fold = 2;
  expect_message([&] { check_rule(inner); }, {"data.inner_fold=2 does not exist; there are 2 inner folds"});
  inner.inner_folds = 0;
  expect_message([&] { check_rule(inner); }, {"data.inner_fold=2 needs data.inner_folds"});
  expect_message([] { check_rule(of_fold(1, 0)); }, {"data.folds=1", "2 folds or more"});
  expect_message([] { check_rule(of_fold(0, 2)); }, {"data.fold=2", "data.folds"});
  expect_message([] { check_rule(of_fold(5, 5)); }, {"data.fold=5", "the 5 folds are counted from 0"});
  expect_message([] { folds_of_boxes(4, 1, 5, 1); }, {"data.folds=5", "the 4 cubes", "2 to 4 folds"});
  expect_message([] { folds_of_boxes(24, 8, 5, 1); }, {"data.folds=5", "the 3 cubes", "stay together"});
  expect_message([] { folds_of_boxes(27, 27, 28, 1); }, {"data.folds=28", "the 27 sub-boxes"});
  SplitRule both = of_fold(5, 0);
  both.validation = {1};
  expect_message([&] { check_rule(both); }, {"data.folds and data.validation_boxes"});
  SplitRule missing;
  missing.validation = {64};
  expect_message([&] { split_boxes(64, 1, missing); }, {"data.validation_boxes: 64", "there are 64"});
}

}  // namespace
}  // namespace umbra

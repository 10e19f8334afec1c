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

TEST(Folds, WrongArguments) {
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

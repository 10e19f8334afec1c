// Which sub-boxes of a catalog a model is trained on and which validate it. All tools, the forest's too, follow this
// rule, so that their scores are of the same boxes.
#pragma once

#include <cstdint>
#include <vector>

namespace umbra {

/// Indices of training and validation samples.
struct SampleSplit {
  std::vector<std::int64_t> train,  ///< ascending indices of training samples
      validation;                   ///< ascending indices of validation samples
};
/// A random split, a function of (count, train_fraction, seed) alone. `train_fraction`: the share of
/// training samples, 0 to 1. If it is strictly between and there are at least two samples, neither side is
/// empty.
SampleSplit split_boxes(std::int64_t count, double train_fraction, std::uint64_t seed);

/// How the sub-boxes of a catalog are divided.
struct SplitRule {
  double train_fraction = 0.8;           ///< share of training boxes, where neither folds nor boxes are given
  std::uint64_t seed = 1;                ///< of the random order of boxes
  std::int64_t folds = 0;                ///< parts of a cross-validation, 2 or more; 0: none
  std::int64_t fold = 0;                 ///< the part that validates, 0 to folds - 1
  std::vector<std::int64_t> validation;  ///< boxes that validate, by number; empty: drawn at random
  std::int64_t inner_folds = 0;          ///< parts into which the training boxes are divided again; 0: none
  std::int64_t inner_fold = 0;           ///< the part of them that validates; what validated is then left out

  /// Whether all parts are equal.
  bool operator==(const SplitRule&) const = default;
};
/// Throws Error, in terms of the settings data.…, when the parts of `rule` contradict one another.
void check_rule(const SplitRule& rule);

/// The fold of every sub-box, 0 to folds - 1: a function of the arguments alone. [count]
///
/// Units are put into the random order of split_boxes() and cut into `folds` parts whose sizes differ by at most
/// one; fold 0 is the last part, so that where units are boxes it is what a split by the share 1 - 1/folds leaves out
/// (to within one box where that share of the boxes is not whole). A unit is a simulated cube with its `per_cube`
/// sub-boxes if there are several cubes, because sub-boxes of one cube share its parameters and its large-scale
/// structure, and a model could recognise in the validation boxes what it learnt from their neighbours. In a catalog
/// of a single cube a unit is a sub-box. Throws Error when there are fewer units than folds.
std::vector<std::int64_t> folds_of_boxes(std::int64_t count, std::int64_t per_cube, std::int64_t folds,
                                         std::uint64_t seed);

/// The fold of every sample, 0 to folds - 1, such that the sizes of all folds, and of each class in them, differ by at most
/// one: samples in the random order of split_boxes() are dealt class by class. `labels`: the class of every sample, all
/// equal where there are none. A function of the arguments alone.
std::vector<std::int64_t> stratified_folds(const std::vector<std::int64_t>& labels, std::int64_t folds,
                                           std::uint64_t seed);

/// Divides `count` sub-boxes, `per_cube` of each cube, by `rule`. With inner_folds the training boxes are divided by
/// the rule of folds_of_boxes() again, so that settings can be chosen without the boxes that validate, which are in
/// neither list; with folds this is a nested cross-validation. Throws Error when the rule is contradictory or names
/// a box that does not exist.
SampleSplit split_boxes(std::int64_t count, std::int64_t per_cube, const SplitRule& rule);

}  // namespace umbra

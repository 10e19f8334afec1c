// Boxes are sorted by random keys, each a function of (seed, box) alone.
#include "data/boxes/split.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace umbra {
namespace {

// The numbers from 0 to count - 1 in random order.
std::vector<std::int64_t> random_order(std::int64_t count, std::uint64_t seed) {
  const Rng rng(seed, Purpose::kSplit);
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::vector<std::uint64_t> key(order.size());
  for (std::size_t i = 0; i < key.size(); ++i) {
    const Philox4 words = rng.words(i);
    key[i] = std::uint64_t{words[0]} << 32 | words[1];
  }
  const auto key_of = [&](std::int64_t i) { return key[static_cast<std::size_t>(i)]; };
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return key_of(a) != key_of(b) ? key_of(a) < key_of(b) : a < b;
  });
  return order;
}

// The split in which the boxes that are marked validate.
SampleSplit held_out(const std::vector<char>& validates) {
  SampleSplit split;
  for (std::size_t box = 0; box < validates.size(); ++box)
    (validates[box] != 0 ? split.validation : split.train).push_back(static_cast<std::int64_t>(box));
  return split;
}

// Divides training boxes again; cubes, of `per_cube` boxes each, are whole in them.
SampleSplit inner_split(const std::vector<std::int64_t>& boxes, std::int64_t per_cube,
                        const SplitRule& rule) {
  const auto count = static_cast<std::int64_t>(boxes.size());
  require(count / per_cube >= rule.inner_folds, "data.inner_folds=", rule.inner_folds, ": ",
          rule.folds > 0 ? concat("fold ", rule.fold) : "the split", " leaves only ", count / per_cube,
          per_cube > 1 ? " cubes" : " sub-boxes", " to train on");
  const std::vector<std::int64_t> fold_of = folds_of_boxes(count, per_cube, rule.inner_folds, rule.seed);
  SampleSplit split;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    (fold_of[i] == rule.inner_fold ? split.validation : split.train).push_back(boxes[i]);
  return split;
}

}  // namespace

SampleSplit split_boxes(std::int64_t count, double train_fraction, std::uint64_t seed) {
  require(count >= 0, "the number of boxes to split must not be negative, but it is ", count);
  require(train_fraction >= 0 && train_fraction <= 1,
          "the training share must lie between 0 and 1, but it is ", train_fraction);
  const std::vector<std::int64_t> order = random_order(count, seed);
  std::int64_t train = std::llround(train_fraction * static_cast<double>(count));
  // With at least two boxes a share strictly between 0 and 1 leaves neither side empty.
  if (count >= 2 && train_fraction > 0 && train_fraction < 1)
    train = std::clamp<std::int64_t>(train, 1, count - 1);
  SampleSplit split;
  split.train.assign(order.begin(), order.begin() + train);
  split.validation.assign(order.begin() + train, order.end());
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

void check_rule(const SplitRule& rule) {
  require(rule.folds == 0 || rule.folds >= 2, "data.folds=", rule.folds,
          ": a cross-validation has 2 folds or more (0: none)");
  require(rule.folds > 0 || rule.fold == 0, "data.fold=", rule.fold,
          " needs data.folds, the number of folds");
  require(rule.fold >= 0 && rule.fold < std::max<std::int64_t>(rule.folds, 1), "data.fold=", rule.fold,
          " does not exist; the ", rule.folds, " folds are counted from 0");
  require(rule.folds == 0 || rule.validation.empty(),
          "data.folds and data.validation_boxes both choose the boxes to validate on; give one of them");
  require(rule.inner_folds == 0 || rule.inner_folds >= 2, "data.inner_folds=", rule.inner_folds,
          ": what is trained on is divided into 2 parts or more (0: none)");
  require(rule.inner_folds > 0 || rule.inner_fold == 0, "data.inner_fold=", rule.inner_fold,
          " needs data.inner_folds, the number of inner folds");
  require(rule.inner_fold >= 0 && rule.inner_fold < std::max<std::int64_t>(rule.inner_folds, 1),
          "data.inner_fold=", rule.inner_fold, " does not exist; there are ", rule.inner_folds,
          " inner folds, counted from 0");
}

std::vector<std::int64_t> folds_of_boxes(std::int64_t count, std::int64_t per_cube, std::int64_t folds,
                                         std::uint64_t seed) {
  const std::int64_t cubes = count / per_cube, per_unit = cubes > 1 ? per_cube : 1, units = count / per_unit;
  require(folds >= 2 && folds <= units, "data.folds=", folds, ": the ", units,
          cubes > 1 ? " cubes of this catalog, whose sub-boxes stay together," : " sub-boxes of this catalog",
          " make ", units >= 2 ? concat("2 to ", units) : "no", " folds");
  const std::vector<std::int64_t> order = random_order(units, seed);
  const auto end_of = [&](std::int64_t part) { return (2 * units * part + folds) / (2 * folds); };  // rounded
  std::vector<std::int64_t> fold_of(static_cast<std::size_t>(count));
  for (std::int64_t part = 0; part < folds; ++part) {
    for (std::int64_t place = end_of(part); place < end_of(part + 1); ++place) {
      const auto first = fold_of.begin() + order[static_cast<std::size_t>(place)] * per_unit;
      std::fill(first, first + per_unit, folds - 1 - part);
    }
  }
  return fold_of;
}

std::vector<std::int64_t> stratified_folds(const std::vector<std::int64_t>& labels, std::int64_t folds,
                                           std::uint64_t seed) {
  std::vector<std::int64_t> order = random_order(std::ssize(labels), seed);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return labels[static_cast<std::size_t>(a)] < labels[static_cast<std::size_t>(b)];
  });
  std::vector<std::int64_t> fold_of(labels.size());
  for (std::size_t place = 0; place < order.size(); ++place)
    fold_of[static_cast<std::size_t>(order[place])] = static_cast<std::int64_t>(place) % folds;
  return fold_of;
}

SampleSplit split_boxes(std::int64_t count, std::int64_t per_cube, const SplitRule& rule) {
  check_rule(rule);
  // Only in folds are cubes whole.
  const auto with_inner = [&](SampleSplit split) {
    const std::int64_t per_unit = rule.folds > 0 && per_cube < count ? per_cube : 1;
    return rule.inner_folds > 0 ? inner_split(split.train, per_unit, rule) : split;
  };
  if (rule.folds == 0 && rule.validation.empty())
    return with_inner(split_boxes(count, rule.train_fraction, rule.seed));
  std::vector<char> validates(static_cast<std::size_t>(count), 0);
  if (rule.folds > 0) {
    const std::vector<std::int64_t> fold_of = folds_of_boxes(count, per_cube, rule.folds, rule.seed);
    for (std::size_t box = 0; box < validates.size(); ++box)
      validates[box] = fold_of[box] == rule.fold ? 1 : 0;
  }
  for (const std::int64_t box : rule.validation) {
    require(box >= 0 && box < count, "data.validation_boxes: ", box,
            " is not the number of a sub-box; there are ", count, ", counted from 0");
    validates[static_cast<std::size_t>(box)] = 1;
  }
  return with_inner(held_out(validates));
}

}  // namespace umbra

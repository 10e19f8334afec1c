// The split is a sort by random keys, each a function of (seed, box) alone.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/boxes/boxes.h"
#include "engine/base/error.h"

namespace umbra {

SampleSplit split_boxes(std::int64_t count, double train_fraction, std::uint64_t seed) {
  require(count >= 0, "the number of boxes to split must not be negative, but it is ", count);
  require(train_fraction >= 0 && train_fraction <= 1,
          "the training share must lie between 0 and 1, but it is ", train_fraction);
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

}  // namespace umbra

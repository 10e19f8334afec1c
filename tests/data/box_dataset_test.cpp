// Samples of sub-boxes: symmetries against signed permutations written out by hand, shifts against a catalog that
// is moved before it is cut, and that no training sample holds a number of a validation box.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/cpu/parallel.h"
#include "tests/fixtures/box_samples.h"

namespace umbra {
namespace {

using namespace testing_boxes;

Catalog shifted(Catalog catalog, const int (&voxels)[3]) {
  const double voxel = kSide / (kPerSide * kVoxels);
  const char* const axes[] = {"x", "y", "z"};
  for (int axis = 0; axis < 3; ++axis)
    for (double& x : catalog.columns[axes[axis]]) x = std::fmod(x - voxels[axis] * voxel + 2 * kSide, kSide);
  return catalog;
}

TEST(BoxDataset, PlainSamplesAreTheBoxes) {
  const BoxSet set = make_boxes(random_catalog(1, 2000), options());
  const BoxDataset data(set, {5, 2, 26}, {true, true});
  EXPECT_EQ(data.size(), 3);
  EXPECT_EQ(data.input_shape(), (Shape{1, 4, 4, 4}));
  EXPECT_EQ(data.target_shape(), (Shape{14}));
  for (std::int64_t i = 0; i < 3; ++i) {
    const Sample sample = read(data, i);
    EXPECT_EQ(sample.input, input_of(set, data.indices()[static_cast<std::size_t>(i)]));
    EXPECT_EQ(sample.target, label_of(set, data.indices()[static_cast<std::size_t>(i)]));
  }
  expect_message([&] { read(data, 3); }, {"sample 3"});
  expect_message([&] { BoxDataset(set, {27}, {}); }, {"27"});
  std::vector<float> small(3), target(14);
  expect_message([&] { data.read(0, nullptr, small, target); }, {"[1, 4, 4, 4]"});
}

TEST(BoxDataset, SymmetriesAreTheGroupOf48) {
  const BoxSet set = make_boxes(random_catalog(1, 2000), options());
  const BoxDataset data(set, {13}, {true, false});
  const Sample plain = read(data, 0);
  std::vector<float> sorted = plain.input;
  std::sort(sorted.begin(), sorted.end());
  std::set<std::vector<float>> seen;
  for (std::uint64_t stream = 0; stream < 2000; ++stream) {
    const Rng rng(1, Purpose::kAugmentation, stream);
    const Sample sample = read(data, 0, &rng);
    EXPECT_EQ(sample.target, plain.target);
    seen.insert(sample.input);
    std::vector<float> values = sample.input;
    std::sort(values.begin(), values.end());
    ASSERT_EQ(values, sorted);
  }
  EXPECT_EQ(seen.size(), 48u);
  EXPECT_TRUE(seen.contains(plain.input));
  // They are isometries: three voxels in a corner keep their distances. Signed permutations written out by
  // hand:
  std::set<std::vector<float>> by_hand;
  for (int p = 0; p < 6; ++p)
    for (int flips = 0; flips < 8; ++flips) {
      static constexpr int kOrders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
      std::vector<float> turned(64);
      for (int i = 0; i < 64; ++i) {
        const int from[3] = {i / 16, i / 4 % 4, i % 4};
        int to[3];
        for (int axis = 0; axis < 3; ++axis) {
          const int at = from[kOrders[p][axis]];
          to[axis] = (flips >> axis & 1) ? 3 - at : at;
        }
        turned[static_cast<std::size_t>((to[0] * 4 + to[1]) * 4 + to[2])] =
            plain.input[static_cast<std::size_t>(i)];
      }
      by_hand.insert(turned);
    }
  EXPECT_EQ(seen, by_hand);
}

// Every sample drawn with shifts must be a sub-box of the catalog moved by whole voxels before the cut.
TEST(BoxDataset, ShiftedBoxesAreCutFromTheShiftedCatalog) {
  const Catalog catalog = random_catalog(2, 4000);
  const BoxSet set = make_boxes(catalog, options());
  const BoxDataset data(set, all_of(set), {false, true});
  std::set<std::vector<float>> drawn_inputs;
  std::vector<Sample> drawn;
  for (std::uint64_t stream = 0; stream < 10000; ++stream) {
    const Rng rng(5, Purpose::kAugmentation, stream);
    drawn.push_back(read(data, 30, &rng));  // in the second cube, at (0, 1, 0)
    drawn_inputs.insert(drawn.back().input);
  }
  // Shifts of -3 to 3 voxels along each axis: 343 windows, each a sub-box of one shifted catalog.
  std::set<std::vector<float>> inputs;
  std::vector<Sample> expected;
  for (int sx = -3; sx <= 3; ++sx)
    for (int sy = -3; sy <= 3; ++sy)
      for (int sz = -3; sz <= 3; ++sz) {
        const BoxSet moved = make_boxes(shifted(catalog, {sx, sy, sz}), options());
        expected.push_back({input_of(moved, 30), label_of(moved, 30)});
        inputs.insert(expected.back().input);
      }
  EXPECT_EQ(inputs.size(), 343u);
  EXPECT_EQ(drawn_inputs, inputs);
  for (const Sample& sample : drawn) {
    const auto match = std::find_if(expected.begin(), expected.end(),
                                    [&](const Sample& e) { return e.input == sample.input; });
    ASSERT_NE(match, expected.end());
    EXPECT_EQ(sample.target, match->target);
  }
}

TEST(BoxDataset, PeriodicBoxesShiftInThemselves) {
  const Catalog catalog = random_catalog(3, 3000);
  BoxOptions wanted = options();
  wanted.subbox_size = kSide;
  const BoxSet set = make_boxes(catalog, wanted);
  ASSERT_EQ(set.per_side, 1);
  ASSERT_EQ(set.count, 3);
  const BoxDataset data(set, {1}, {false, true});
  std::set<std::vector<float>> seen;
  for (std::uint64_t stream = 0; stream < 2000; ++stream) {
    const Rng rng(5, Purpose::kAugmentation, stream);
    const Sample sample = read(data, 0, &rng);
    EXPECT_EQ(sample.target, label_of(set, 1));
    seen.insert(sample.input);
  }
  std::set<std::vector<float>> expected;
  for (int s = 0; s < 64; ++s) {
    std::vector<float> rolled;
    const std::vector<float> plain = input_of(set, 1);
    for (int i = 0; i < 64; ++i) {
      const int x = (i / 16 + s / 16) % 4, y = (i / 4 + s / 4) % 4, z = (i + s) % 4;
      rolled.push_back(plain[static_cast<std::size_t>((x * 4 + y) * 4 + z)]);
    }
    expected.insert(rolled);
  }
  EXPECT_EQ(seen, expected);
}

// Every halo carries the number of its sub-box as its velocity: a training sample must not contain a number
// of a validation box.
TEST(BoxDataset, ValidationBoxesNeverEnter) {
  Catalog catalog = random_catalog(1, 30000);
  const auto box_of = [&](std::size_t r) {
    return (static_cast<int>(catalog.columns["x"][r] / 8) * 3 +
            static_cast<int>(catalog.columns["y"][r] / 8)) *
               3 +
           static_cast<int>(catalog.columns["z"][r] / 8);
  };
  for (std::size_t r = 0; r < 30000; ++r) catalog.columns["vpeak"][r] = 1000.0 + box_of(r);
  const BoxSet set = make_boxes(catalog, options());
  const SampleSplit split = split_boxes(set.count, 0.7, 2);
  const BoxDataset data(set, split.train, {true, true});
  std::set<std::int64_t> neighbours;
  for (std::int64_t i = 0; i < data.size(); ++i)
    for (std::uint64_t stream = 0; stream < 200; ++stream) {
      const Rng rng(9, Purpose::kAugmentation, stream * 1000 + static_cast<std::uint64_t>(i));
      const Sample sample = read(data, i, &rng);
      for (const float value : sample.input) {
        if (value == 0) continue;
        const auto box = std::lround(value) - 1000;
        ASSERT_TRUE(std::binary_search(split.train.begin(), split.train.end(), box));
        if (box != split.train[static_cast<std::size_t>(i)]) neighbours.insert(box);
      }
    }
  EXPECT_GT(neighbours.size(), 10u);  // some samples are shifted
}

TEST(BoxDataset, SameStreamSameSample) {
  const BoxSet set = make_boxes(random_catalog(1, 3000), options());
  const BoxDataset data(set, all_of(set), {true, true});
  std::vector<Sample> serial;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const Rng rng(4, Purpose::kAugmentation, static_cast<std::uint64_t>(i));
    serial.push_back(read(data, i, &rng));
  }
  std::vector<Sample> parallel(serial.size());
  parallel_for(data.size(), [&](std::int64_t i) {
    const Rng rng(4, Purpose::kAugmentation, static_cast<std::uint64_t>(i));
    parallel[static_cast<std::size_t>(i)] = read(data, i, &rng);
  });
  for (std::size_t i = 0; i < serial.size(); ++i) {
    EXPECT_EQ(serial[i].input, parallel[i].input);
    EXPECT_EQ(serial[i].target, parallel[i].target);
  }
}

}  // namespace
}  // namespace umbra

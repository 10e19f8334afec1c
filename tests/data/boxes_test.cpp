// Sub-boxes against oracles that know nothing of the code: grids and labels are recounted from the catalog by
// brute force, transformed samples from a catalog transformed before it is cut.
#include "data/boxes/boxes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "data/observations/moustakas2013.h"
#include "engine/base/error.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

constexpr double kSide = 24.0;
constexpr int kPerSide = 3, kVoxels = 4;  // sub-boxes of 8 Mpc/h with voxels of 2 Mpc/h

BoxOptions options() {
  BoxOptions out;
  out.subbox_size = kSide / kPerSide;
  out.voxels = kVoxels;
  return out;
}

Catalog random_catalog(std::int64_t cubes, std::size_t rows) {
  Catalog catalog;
  catalog.box_size = kSide;
  catalog.boxes = cubes;
  const Rng rng(7, Purpose::kTest);
  for (std::uint64_t i = 0; i < rows; ++i) {
    catalog.columns["x"].push_back(kSide * rng.uniform(8 * i));
    catalog.columns["y"].push_back(kSide * rng.uniform(8 * i + 1));
    catalog.columns["z"].push_back(kSide * rng.uniform(8 * i + 2));
    catalog.columns["vpeak"].push_back(100 + 200 * rng.uniform(8 * i + 3));
    catalog.columns["mvir"].push_back(1e12 * rng.uniform(8 * i + 4));
    catalog.columns["stellar_mass"].push_back(std::pow(10, 10 + 1.8 * rng.uniform(8 * i + 5)));
    catalog.integers["box"].push_back(
        static_cast<std::int64_t>(rng.below(8 * i + 6, static_cast<std::uint64_t>(cubes))));
  }
  validate(catalog, "random");
  return catalog;
}

Catalog shifted(Catalog catalog, const int (&voxels)[3]) {
  const double voxel = kSide / (kPerSide * kVoxels);
  const char* const axes[] = {"x", "y", "z"};
  for (int axis = 0; axis < 3; ++axis)
    for (double& x : catalog.columns[axes[axis]]) x = std::fmod(x - voxels[axis] * voxel + 2 * kSide, kSide);
  return catalog;
}

std::vector<float> input_of(const BoxSet& set, std::int64_t box) {
  const auto length = set.input.size() / static_cast<std::size_t>(set.count);
  const auto begin = set.input.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(box) * length);
  return {begin, begin + static_cast<std::ptrdiff_t>(length)};
}

std::vector<float> label_of(const BoxSet& set, std::int64_t box) {
  const auto begin = set.smf.begin() + box * set.options.smf_bins;
  return {begin, begin + set.options.smf_bins};
}

struct Sample {
  std::vector<float> input, target;
};

Sample read(const BoxDataset& data, std::int64_t index, const Rng* rng = nullptr) {
  Sample sample{std::vector<float>(static_cast<std::size_t>(data.input_shape().count())),
                std::vector<float>(static_cast<std::size_t>(data.target_shape().count()))};
  data.read(index, rng, sample.input, sample.target);
  return sample;
}

std::vector<std::int64_t> all_of(const BoxSet& set) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < set.count; ++i) indices.push_back(i);
  return indices;
}

void expect_message(const std::function<void()>& body, std::initializer_list<std::string> parts) {
  try {
    body();
    ADD_FAILURE() << "no umbra::Error was thrown";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const auto& part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << part << " | " << message;
  }
}

TEST(Boxes, GridAndLabelByBruteForce) {
  const Catalog c = random_catalog(2, 2000);
  BoxOptions wanted = options();
  wanted.features = {"vpeak", "mvir"};
  const BoxSet set = make_boxes(c, wanted);
  ASSERT_EQ(set.count, 2 * 27);
  ASSERT_EQ(set.per_side, 3);
  const auto x = c.column("x"), y = c.column("y"), z = c.column("z"), vpeak = c.column("vpeak"),
             mvir = c.column("mvir");
  const auto cubes = c.integer_column("box");
  const double voxel = 2.0;
  std::int64_t checked = 0;
  for (int cube = 0; cube < 2; ++cube)
    for (int gx = 0; gx < 12; ++gx)
      for (int gy = 0; gy < 12; ++gy)
        for (int gz = 0; gz < 12; ++gz) {
          double sum[2] = {0, 0};
          int count = 0;
          for (std::size_t r = 0; r < x.size(); ++r) {
            if (cubes[r] != cube || vpeak[r] < 150) continue;
            if (x[r] < gx * voxel || x[r] >= (gx + 1) * voxel || y[r] < gy * voxel ||
                y[r] >= (gy + 1) * voxel || z[r] < gz * voxel || z[r] >= (gz + 1) * voxel)
              continue;
            sum[0] += vpeak[r];
            sum[1] += mvir[r];
            ++count;
          }
          const int box = cube * 27 + (gx / 4 * 3 + gy / 4) * 3 + gz / 4;
          const int at = (gx % 4 * 4 + gy % 4) * 4 + gz % 4;
          for (int feature = 0; feature < 2; ++feature) {
            const float expected = count ? static_cast<float>(sum[feature] / count) : 0.0f;
            ASSERT_EQ(set.input[static_cast<std::size_t>((box * 2 + feature) * 64 + at)], expected);
          }
          checked += count;
        }
  EXPECT_GT(checked, 1300);
  for (std::int64_t box = 0; box < set.count; ++box) {
    std::vector<int> counts(14, 0);
    std::int64_t halos = 0;
    for (std::size_t r = 0; r < x.size(); ++r) {
      const auto b = cubes[r] * 27 + (static_cast<int>(x[r] / 8) * 3 + static_cast<int>(y[r] / 8)) * 3 +
                     static_cast<int>(z[r] / 8);
      if (b != box) continue;
      halos += vpeak[r] >= 150;
      const double bin = std::floor((std::log10(c.column("stellar_mass")[r]) - 10.2) / 0.1);
      if (bin >= 0 && bin < 14) ++counts[static_cast<std::size_t>(bin)];  // whatever its vpeak
    }
    EXPECT_EQ(set.halos[static_cast<std::size_t>(box)], halos);
    EXPECT_EQ(set.box[static_cast<std::size_t>(box)], box);
    for (std::size_t bin = 0; bin < 14; ++bin)
      EXPECT_FLOAT_EQ(label_of(set, box)[bin], static_cast<float>(counts[bin] / 512.0));
  }
}

TEST(Boxes, UnitsAndSigma) {
  const Catalog catalog = random_catalog(1, 500);
  BoxOptions wanted = options();
  const BoxSet plain = make_boxes(catalog, wanted);
  wanted.per_dex = true;
  const BoxSet dex = make_boxes(catalog, wanted);
  ASSERT_EQ(plain.sigma.size(), 14u);
  // Moustakas et al. (2013) at 10.2-10.3: errors 1.4517e-4 and 1.7919e-4; the larger counts.
  EXPECT_FLOAT_EQ(plain.sigma[0], 0.000179185054713184f);
  EXPECT_FLOAT_EQ(plain.sigma[13], 3.18241552456813e-05f);
  EXPECT_FLOAT_EQ(dex.sigma[0], 0.000179185054713184f / 0.343f);
  for (std::size_t i = 0; i < plain.smf.size(); ++i) EXPECT_FLOAT_EQ(dex.smf[i], plain.smf[i] * 10);
  EXPECT_NE(plain.smf_unit, dex.smf_unit);
  ASSERT_EQ(plain.edges.size(), 15u);
  EXPECT_NEAR(plain.edges[14], 11.6, 1e-12);
}

TEST(Boxes, ImpossibleOptionsAreExplained) {
  const Catalog catalog = random_catalog(1, 50);
  const auto with = [&](const std::function<void(BoxOptions&)>& change) {
    return [&, change] {
      BoxOptions wanted = options();
      change(wanted);
      make_boxes(catalog, wanted);
    };
  };
  expect_message(with([](BoxOptions& o) { o.subbox_size = 7; }), {"7", "does not divide", "24"});
  expect_message(with([](BoxOptions& o) { o.subbox_size = 0; }), {"sub-box size"});
  expect_message(with([](BoxOptions& o) { o.subbox_size = 48; }), {"sub-box size"});
  expect_message(with([](BoxOptions& o) { o.subbox_size = std::nan(""); }), {"sub-box size"});
  expect_message(with([](BoxOptions& o) { o.subbox_size = 1e-9; }), {"too small"});
  expect_message(with([](BoxOptions& o) { o.voxels = 0; }), {"voxels"});
  expect_message(with([](BoxOptions& o) { o.voxels = 4096; }), {"memory"});
  expect_message(with([](BoxOptions& o) { o.smf_bins = 0; }), {"smf_bins"});
  expect_message(with([](BoxOptions& o) { o.smf_width = 0; }), {"smf_width"});
  expect_message(with([](BoxOptions& o) { o.min_vpeak = std::nan(""); }), {"min_vpeak"});
  expect_message(with([](BoxOptions& o) { o.smf_min = 8.5; }), {"8.5", "not covered", "9 to 12.4"});
  expect_message(with([](BoxOptions& o) { o.smf_bins = 23; }), {"not covered"});
  expect_message(with([](BoxOptions& o) { o.features = {}; }), {"feature"});
  expect_message(with([](BoxOptions& o) { o.features = {"vpeak", "vpeak"}; }), {"twice"});
  expect_message(with([](BoxOptions& o) { o.features = {"macc"}; }), {"'macc'", "present"});
  Catalog without = catalog;
  without.columns.erase("vpeak");
  BoxOptions wanted = options();
  wanted.features = {"mvir"};
  expect_message([&] { make_boxes(without, wanted); }, {"'vpeak'"});
  EXPECT_NO_THROW(with([](BoxOptions& o) { o.smf_min = 9.0, o.smf_bins = 34; })());
}

TEST(Boxes, NoStellarMassesAndNoHalos) {
  Catalog catalog = random_catalog(2, 40);
  catalog.columns.erase("stellar_mass");
  for (auto& box : catalog.integers["box"]) box = 0;  // the second cube is empty
  const BoxSet set = make_boxes(catalog, options());
  EXPECT_TRUE(set.smf.empty());
  EXPECT_TRUE(set.galaxies.empty());
  EXPECT_EQ(set.halos[40], 0);
  for (const float value : input_of(set, 40)) EXPECT_EQ(value, 0.0f);
  const BoxDataset data(set, all_of(set), {true, true});
  const Rng rng(1, Purpose::kAugmentation);
  for (const float value : read(data, 0, &rng).target) EXPECT_TRUE(std::isnan(value));

  Catalog none = random_catalog(1, 1);
  for (auto& [name, values] : none.columns) values.clear();
  none.integers["box"].clear();
  const BoxSet empty = make_boxes(none, options());
  EXPECT_EQ(empty.count, 27);
  EXPECT_EQ(*std::max_element(empty.smf.begin(), empty.smf.end()), 0.0f);
}

TEST(Boxes, SameBitsForAnyNumberOfThreads) {
  const Catalog catalog = random_catalog(3, 5000);
  omp_set_num_threads(1);
  const BoxSet one = make_boxes(catalog, options());
  omp_set_num_threads(5);
  const BoxSet five = make_boxes(catalog, options());
  EXPECT_EQ(one.input, five.input);
  EXPECT_EQ(one.smf, five.smf);
}

TEST(Split, IsDisjointExhaustiveAndReproducible) {
  const Split split = split_boxes(1000, 0.8, 3);
  EXPECT_EQ(split.train.size(), 800u);
  EXPECT_EQ(split.validation.size(), 200u);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.validation.begin(), split.validation.end()));
  std::set<std::int64_t> both(split.train.begin(), split.train.end());
  both.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(both.size(), 1000u);
  EXPECT_EQ(*both.rbegin(), 999);
  EXPECT_EQ(split_boxes(1000, 0.8, 3).train, split.train);
  EXPECT_NE(split_boxes(1000, 0.8, 4).train, split.train);
  // A growing share keeps the boxes it had.
  const auto larger = split_boxes(1000, 0.9, 3).train;
  EXPECT_TRUE(std::includes(larger.begin(), larger.end(), split.train.begin(), split.train.end()));
  // The validation boxes are spread: the mean index of 200 of 1000 has a standard deviation of 18.
  double mean = 0;
  for (const auto i : split.validation) mean += static_cast<double>(i) / 200;
  EXPECT_NEAR(mean, 499.5, 90);
}

TEST(Split, SmallAndWrongArguments) {
  EXPECT_TRUE(split_boxes(0, 0.8, 1).train.empty());
  EXPECT_EQ(split_boxes(2, 0.99, 1).validation.size(), 1u);
  EXPECT_EQ(split_boxes(2, 0.01, 1).train.size(), 1u);
  EXPECT_EQ(split_boxes(5, 1.0, 1).train.size(), 5u);
  expect_message([] { split_boxes(10, 1.5, 1); }, {"1.5"});
  expect_message([] { split_boxes(10, std::nan(""), 1); }, {"nan"});
  expect_message([] { split_boxes(-1, 0.5, 1); }, {"-1"});
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

// Every halo carries the number of its sub-box as its velocity: a training sample must hold no number from
// outside.
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
  const Split split = split_boxes(set.count, 0.7, 2);
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
  EXPECT_GT(neighbours.size(), 10u);  // shifts do happen
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

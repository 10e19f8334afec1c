// Augmentation of images: what every transformation does to pixels and labels, and that it depends on the random stream of
// a sample alone.
#include "models/tasks/dataset/augmentation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "engine/base/error.h"
#include "models/tasks/dataset/samples.h"

namespace umbra {
namespace {

const Shape kThree{1, 3, 3};

std::vector<float> counted(std::int64_t count) {
  std::vector<float> image(static_cast<std::size_t>(count));
  std::iota(image.begin(), image.end(), 0.0F);
  return image;
}

std::vector<float> after(const ImageTransform& how, const Shape& shape) {
  std::vector<float> image = counted(shape.count());
  transform(how, shape, image);
  return image;
}

ImageTransform quarter(int turns) {
  ImageTransform how;
  how.turns = turns;
  return how;
}

TEST(Augmentation, FlipsAndTurnsMovePixels) {
  ImageTransform flip;
  flip.flip = true;
  EXPECT_EQ(after(flip, {1, 2, 3}), (std::vector<float>{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(after(quarter(1), kThree),
            (std::vector<float>{2, 5, 8, 1, 4, 7, 0, 3, 6}));  // the right edge is on top
  EXPECT_EQ(after(quarter(2), kThree), (std::vector<float>{8, 7, 6, 5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(after(quarter(3), kThree), (std::vector<float>{6, 3, 0, 7, 4, 1, 8, 5, 2}));
}

TEST(Augmentation, ARotationBy90DegreesIsAQuarterTurn) {
  ImageTransform how;
  how.angle = std::numbers::pi / 2;
  const Shape shape{2, 4, 4};
  const std::vector<float> rotated = after(how, shape), turned = after(quarter(1), shape);
  for (std::size_t i = 0; i < rotated.size(); ++i) EXPECT_NEAR(rotated[i], turned[i], 1e-5) << i;
}

TEST(Augmentation, ShiftsReflectAtTheEdges) {
  ImageTransform how;
  how.right = 1;
  EXPECT_EQ(after(how, {1, 1, 4}), (std::vector<float>{0, 0, 1, 2}));
  how.right = -2;
  EXPECT_EQ(after(how, {1, 1, 4}), (std::vector<float>{2, 3, 3, 2}));
  how.right = 0;
  how.down = 1;
  EXPECT_EQ(after(how, {1, 3, 1}), (std::vector<float>{0, 0, 1}));
}

TEST(Augmentation, ZoomsScaleAroundTheCentre) {
  ImageTransform how;
  how.zoom = 2;
  const std::vector<float> image = after(how, {1, 1, 5});
  const std::vector<float> wanted{1, 1.5, 2, 2.5, 3};
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_FLOAT_EQ(image[i], wanted[i]);
}

TEST(Augmentation, DrawsFillTheirRanges) {
  AugmentationOptions options;
  options.flips = options.turns = true;
  options.rotation = 30;
  options.zoom = 0.2;
  options.shift = 2;
  std::array<int, 4> turns{};
  std::array<int, 5> shifts{};
  int flips = 0;
  double least = 1, most = -1, smallest = 2, largest = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const ImageTransform how = draw(options, Rng(1, Purpose::kAugmentation, i), 0);
    flips += how.flip ? 1 : 0;
    ++turns[static_cast<std::size_t>(how.turns)];
    ++shifts[static_cast<std::size_t>(how.right + 2)];
    least = std::min(least, how.angle), most = std::max(most, how.angle);
    smallest = std::min(smallest, how.zoom), largest = std::max(largest, how.zoom);
    EXPECT_LE(std::abs(how.down), 2);
  }
  EXPECT_NEAR(flips, 1000, 110);
  for (const int count : turns) EXPECT_NEAR(count, 500, 100);
  for (const int count : shifts) EXPECT_NEAR(count, 400, 90);
  EXPECT_NEAR(least, -std::numbers::pi / 6, 0.01);
  EXPECT_NEAR(most, std::numbers::pi / 6, 0.01);
  EXPECT_NEAR(smallest, 0.8, 0.005);
  EXPECT_NEAR(largest, 1.25, 0.005);
}

TEST(Augmentation, MirrorsArePairs) {
  const MirrorNames named{3, {"a", "b", "c"}, {}};
  EXPECT_EQ(mirror_of({"a:c"}, named, "f"), (std::vector<std::int64_t>{2, 1, 0}));
  EXPECT_EQ(mirror_of({"1:0"}, {3, {}, {0, 1, 2}}, "f"), (std::vector<std::int64_t>{1, 0, 2}));
  EXPECT_EQ(mirror_of({"a:b:c:d"}, {2, {"c:d", "a:b"}, {}}, "f"), (std::vector<std::int64_t>{1, 0}));
  for (const char* wrong : {"a", "a:d", "a:a", "3:0", "0:1"})
    EXPECT_THROW(mirror_of({wrong}, named, "f"), Error) << wrong;
  EXPECT_THROW(mirror_of({"a:b", "b:c"}, named, "f"), Error);
}

// Numbers are those of the table, which may be called so, too, or have other names.
TEST(Augmentation, MirrorsAreAllNamesOrAllNumbers) {
  using Places = std::vector<std::int64_t>;
  const MirrorNames numbered{4, {"3", "7", "11", "12"}, {3, 7, 11, 12}};
  EXPECT_EQ(mirror_of({"3:11"}, numbered, "f"), (Places{2, 1, 0, 3}));
  for (const char* wrong : {"2:3", "0:1"}) EXPECT_THROW(mirror_of({wrong}, numbered, "f"), Error) << wrong;
  const MirrorNames both{3, {"E0", "Sa", "Sb"}, {1, 11, 12}};
  EXPECT_EQ(mirror_of({"11:12"}, both, "f"), (Places{0, 2, 1}));
  EXPECT_EQ(mirror_of({"Sa:Sb"}, both, "f"), (Places{0, 2, 1}));
  try {
    mirror_of({"Sa:12"}, both, "f");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "f: data.mirrored mixes names and numbers; there are E0, Sa and Sb, or their numbers from 1 to 12");
  }
}

// Twelve images whose pixels are their number.
class SamplesTest : public testing::Test {
 protected:
  SamplesTest() {
    std::vector<double> numbers;
    for (int i = 0; i < 12; ++i) numbers.insert(numbers.end(), 4, i);
    inputs_ = input_rows(numbers, {1, 2, 2});
    for (int i = 0; i < 12; ++i) labels_.push_back(i % 3);
    fit_.input_shape = {1, 2, 2};
    fit_.classes = 3;
    fit_.input_mean = {0};
    fit_.input_scale = {1};
    rows_.resize(12);
    std::iota(rows_.begin(), rows_.end(), 0);
  }
  Samples samples(const SampleOptions& options) const { return {*inputs_, labels_, rows_, fit_, options}; }

  std::unique_ptr<InputRows> inputs_;
  std::vector<double> labels_;
  std::vector<std::int64_t> rows_;
  DatasetFit fit_;
};

TEST_F(SamplesTest, AFlipExchangesTheLabelsOfAMirroredPair) {
  SampleOptions options;
  options.augmentation.flips = true;
  options.mirror = {1, 0, 2};
  const Samples all = samples(options);
  int exchanged = 0;
  std::vector<float> input(4), target(1);
  for (std::uint64_t i = 0; i < 300; ++i) {
    const Rng rng(1, Purpose::kAugmentation, i);
    const auto index = static_cast<std::int64_t>(i % 12);
    all.read(index, &rng, input, target);
    const std::int64_t label = index % 3, flipped = label == 2 ? 2 : 1 - label;
    EXPECT_EQ(target[0], static_cast<float>(rng.uniform(0) < 0.5 ? flipped : label));
    exchanged += target[0] != static_cast<float>(label) ? 1 : 0;
    all.read(index, nullptr, input, target);
    EXPECT_EQ(target[0], static_cast<float>(label));
  }
  EXPECT_NEAR(exchanged, 100, 30);
}

TEST_F(SamplesTest, AFlipExchangesMirroredValues) {
  fit_.classes = 0;
  fit_.target_mean = {10, 0};
  fit_.target_scale = {2, 1};
  SampleOptions options;
  options.augmentation.flips = true;
  options.mirror = {1, 0};
  std::vector<float> input(4), target(2);
  const std::vector<double> values{12, 5};  // of one sample
  const Samples one(*inputs_, values, {0}, fit_, options);
  bool flipped = false, plain = false;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Rng rng(1, Purpose::kAugmentation, i);
    one.read(0, &rng, input, target);
    if (rng.uniform(0) < 0.5) {
      flipped = true;
      EXPECT_EQ(target, (std::vector<float>{-2.5, 12}));  // in the units of the value they are now
    } else {
      plain = true;
      EXPECT_EQ(target, (std::vector<float>{1, 5}));
    }
  }
  EXPECT_TRUE(flipped && plain);
}

TEST_F(SamplesTest, MixedSamplesHaveTheSharesOfTheirPixels) {
  SampleOptions options;
  options.shares = true;
  options.mixup = 0.4;
  options.smoothing = 0.3;
  const Samples all = samples(options);
  EXPECT_EQ(all.target_shape(), (Shape{3}));
  EXPECT_EQ(all.target_dtype(), DType::kF32);
  std::vector<float> input(4), target(3);
  all.read(4, nullptr, input, target);
  EXPECT_NEAR(target[1], 0.8, 1e-6);
  EXPECT_NEAR(target[0], 0.1, 1e-6);
  int mixed = 0;
  double sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Rng rng(2, Purpose::kAugmentation, i);
    all.read(0, &rng, input, target);
    EXPECT_NEAR(target[0] + target[1] + target[2], 1, 1e-6);
    const auto partner = static_cast<double>(rng.below(16, 12));
    if (partner == 0) continue;
    const double share = 1 - static_cast<double>(input[0]) / partner;  // of sample 0, whose pixels are 0
    const double other = static_cast<double>(target[static_cast<std::size_t>(static_cast<int>(partner) % 3)]);
    if (static_cast<int>(partner) % 3 != 0) {
      EXPECT_NEAR(other, 0.1 + 0.7 * (1 - share), 1e-5);
    }
    sum += share;
    squares += share * share;
    ++mixed;
  }
  const double mean = sum / mixed;
  EXPECT_NEAR(mean, 0.5, 0.03);
  EXPECT_NEAR(squares / mixed - mean * mean, 0.25 / 1.8, 0.01);  // of a beta distribution: 1 / (4 (2 a + 1))
}

}  // namespace
}  // namespace umbra

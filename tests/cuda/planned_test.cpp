// Every shape of tiles and every size of clusters of the tensor rungs, on small problems: with small integers, whose sums
// are the same in every order, and with real numbers, whose sums are the same in every run.
#include "tests/cuda/kernels/planned.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/base/precision.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/conv/shapes.h"
#include "tests/cuda/on_device.h"
#include "tests/cuda/where.h"

namespace umbra::cuda_test {
namespace {

// Small integers, or real numbers that bfloat16 and TF32 hold.
std::vector<float> numbers(std::int64_t count, std::uint64_t stream, bool real) {
  const Rng rng(2018, Purpose::kTest, stream);
  std::vector<float> made(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < made.size(); ++i)
    made[i] =
        real ? round_to_bf16(static_cast<float>(rng.normal(i))) : static_cast<float>(rng.below(i, 5)) - 2;
  return made;
}

std::vector<double> doubles(const std::vector<float>& from, bool absolute) {
  std::vector<double> made(from.begin(), from.end());
  for (double& number : made) number = absolute ? std::abs(number) : number;
  return made;
}

// A pass with its operands and what it must give.
class Problem {
 public:
  Problem(const ConvGeometry& g, Pass pass, bool real = false) : g_(g), pass_(pass), real_(real) {
    const std::int64_t inputs = g.in_volume() * g.in_channels * g.batch,
                       outputs = g.out_volume() * g.out_channels * g.batch, weights = g.weights();
    const std::vector<float> one = numbers(pass == Pass::kDgrad ? outputs : inputs, 1, real),
                             two = numbers(pass == Pass::kWgrad ? outputs : weights, 2, real);
    const auto results = static_cast<std::size_t>(pass == Pass::kFprop   ? outputs
                                                  : pass == Pass::kDgrad ? inputs
                                                                         : weights);
    const auto sums = [&](bool absolute) {
      const std::vector<double> a = doubles(one, absolute), b = doubles(two, absolute);
      std::vector<double> made(results);
      if (pass == Pass::kFprop) conv_fprop_reference(g, a.data(), b.data(), made.data());
      if (pass == Pass::kDgrad) conv_dgrad_reference(g, a.data(), b.data(), made.data());
      if (pass == Pass::kWgrad) conv_wgrad_reference(g, a.data(), b.data(), made.data());
      return made;
    };
    expected_ = sums(false);
    magnitude_ = sums(true);
    one_.emplace(one);
    two_.emplace(two);
  }
  /// Checks the sums with this shape and size (planned.h). Returns the most tiles of a cluster, or 0.
  int check(Precision precision, int shape, int size, int at_once, int parts = 1) const {
    const PlannedCase planned{g_, pass_, precision, shape, size, at_once, parts};
    SCOPED_TRACE(concat("pass ", static_cast<int>(pass_), ", precision ", static_cast<int>(precision),
                        ", shape ", shape, ", size ", size, real_ ? ", real" : ""));
    int tiles = 0;
    const std::vector<float> got = run_once(planned, (shape + size) % 3, tiles);
    if (tiles == 0) return 0;
    // Fewer than 64 terms, each added with half a unit in the last place.
    const double error = real_ ? 64 * 0x1p-24 : 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double off = std::abs(static_cast<double>(got[i]) - expected_[i]);
      if (!(off <= error * magnitude_[i])) {
        ADD_FAILURE() << "element " << i << " is " << got[i] << ", expected " << expected_[i];
        break;
      }
    }
    if (real_) {
      EXPECT_EQ(got, run_once(planned, (shape + size + 1) % 3, tiles)) << "another run";
    }
    return tiles;
  }

 private:
  std::vector<float> run_once(const PlannedCase& planned, int schedule, int& tiles) const {
    const OnDevice<float> result(
        std::vector<float>(expected_.size(), std::numeric_limits<float>::quiet_NaN()));
    const OnDevice<unsigned char> workspace(workspace_of(planned));
    set_schedule(schedule);
    tiles = run(planned, one_->data(), two_->data(), result.data(), workspace.data());
    set_schedule(0);
    return result.values();
  }

  ConvGeometry g_;
  Pass pass_;
  bool real_;
  std::vector<double> expected_, magnitude_;  // magnitude: of the operands' absolute values
  std::optional<OnDevice<float>> one_, two_;
};

class Planned : public testing::Test {
 protected:
  void SetUp() override {
    constexpr int kHopper = 9;
    if (!cannot_run().empty()) GTEST_SKIP() << cannot_run();
    if (cuda_backend().compute_capability() != kHopper) GTEST_SKIP() << "instructions of Hopper";
  }
};

// Four positions, and one channel more than the tile has rows.
TEST_F(Planned, EveryShapeOfBothRungs) {
  constexpr int kRows[kShapes] = {64, 128, 200, 256, 128, 128}, kUnits8 = 5, kMany = 32;
  for (const Pass pass : {Pass::kFprop, Pass::kDgrad, Pass::kWgrad}) {
    for (int shape = 0; shape < kShapes; ++shape) {
      if (pass == Pass::kWgrad && shape >= 4) continue;  // pairs have their units on M
      const std::int64_t rows = kRows[shape] + 1, few = 5;
      const bool in = pass == Pass::kDgrad;
      for (const bool real : {false, true}) {
        const Problem problem(conv_on_square(3, in ? rows : few, in ? few : rows, 2, 3, 1, 1), pass, real);
        for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
          EXPECT_GT(problem.check(precision, shape, 0, kMany), 0);
          EXPECT_GT(problem.check(precision, shape, shape == kUnits8 ? 3 : 2, kMany), 0);
        }
      }
    }
  }
}

// Clusters of up to eight blocks, some with parts of several tiles, which differ in their number of taps.
TEST_F(Planned, ClustersOfEverySize) {
  const Problem fprop(conv_on_square(5, 72, 9, 4, 3, 1, 1), Pass::kFprop),
      wgrad(conv_on_square(33, 3, 5, 3, 3, 1, 1), Pass::kWgrad);
  std::set<int> several;
  for (int size = 1; size <= 8; ++size) {
    constexpr int kRows64 = 0, kUnits8 = 5;
    const int most = std::max({fprop.check(Precision::kBf16, kRows64, size, 1),
                               fprop.check(Precision::kBf16, kUnits8, size, 1),
                               wgrad.check(Precision::kBf16, kRows64, size, 1)});
    if (most > 1) several.insert(size);
  }
  EXPECT_EQ(several, std::set<int>({2, 3, 4, 5, 6, 7, 8}));
}

// A tile with one slice, or with a pair of each of four positions, in eight parts: those without a slice add zeros.
TEST_F(Planned, PartsMayBeEmpty) {
  constexpr int kRows64 = 0, kParts = 8;
  for (const Pass pass : {Pass::kFprop, Pass::kDgrad, Pass::kWgrad}) {
    const Problem problem(conv_on_square(3, 9, 5, 2, 1, 1, 0), pass);
    for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
      EXPECT_EQ(problem.check(precision, kRows64, 0, 1, kParts), 1);
      EXPECT_EQ(problem.check(precision, kRows64, kParts, 1), 1);
    }
  }
}

}  // namespace
}  // namespace umbra::cuda_test

// Every shape of tiles and every size of clusters of the tensor rungs, on small problems, with small integers, whose
// sums are the same in every order.
#include "tests/cuda/kernels/planned.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <set>

#include "engine/base/philox.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/conv/shapes.h"
#include "tests/cuda/on_device.h"
#include "tests/cuda/where.h"

namespace umbra::cuda_test {
namespace {

std::vector<float> integers(std::int64_t count, std::uint64_t stream) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(Rng(2018, Purpose::kTest, stream).below(i, 5)) - 2;
  return numbers;
}

// A pass with its operands and what it must give.
class Problem {
 public:
  Problem(const ConvGeometry& g, Pass pass) : g_(g), pass_(pass) {
    const std::int64_t inputs = g.in_volume() * g.in_channels * g.batch,
                       outputs = g.out_volume() * g.out_channels * g.batch, weights = g.weights();
    const std::vector<float> one = integers(pass == Pass::kDgrad ? outputs : inputs, 1),
                             two = integers(pass == Pass::kWgrad ? outputs : weights, 2);
    expected_.resize(static_cast<std::size_t>(pass == Pass::kFprop   ? outputs
                                              : pass == Pass::kDgrad ? inputs
                                                                     : weights));
    if (pass == Pass::kFprop) conv_fprop_reference(g, one.data(), two.data(), expected_.data());
    if (pass == Pass::kDgrad) conv_dgrad_reference(g, one.data(), two.data(), expected_.data());
    if (pass == Pass::kWgrad) conv_wgrad_reference(g, one.data(), two.data(), expected_.data());
    one_.emplace(one);
    two_.emplace(two);
  }
  /// Checks the sums with this shape and size (planned.h). Returns the most tiles of a cluster, or 0.
  int check(Precision precision, int shape, int size, int at_once) const {
    const PlannedCase planned{g_, pass_, precision, shape, size, at_once};
    const OnDevice<float> result(
        std::vector<float>(expected_.size(), std::numeric_limits<float>::quiet_NaN()));
    const OnDevice<unsigned char> workspace(workspace_of(planned));
    set_schedule((shape + size) % 3);
    const int tiles = run(planned, one_->data(), two_->data(), result.data(), workspace.data());
    set_schedule(0);
    if (tiles > 0) {
      EXPECT_EQ(result.values(), expected_)
          << "pass " << static_cast<int>(pass_) << ", precision " << static_cast<int>(precision) << ", shape "
          << shape << ", size " << size;
    }
    return tiles;
  }

 private:
  ConvGeometry g_;
  Pass pass_;
  std::vector<float> expected_;
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
      const Problem problem(conv_on_square(3, in ? rows : few, in ? few : rows, 2, 3, 1, 1), pass);
      for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
        EXPECT_GT(problem.check(precision, shape, 0, kMany), 0);
        EXPECT_GT(problem.check(precision, shape, shape == kUnits8 ? 3 : 2, kMany), 0);
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

}  // namespace
}  // namespace umbra::cuda_test

// Max pooling where the definition is easy to get wrong: ties, NaN, infinities, padding, windows with gaps or
// past the end; and its gradient.
#include <gtest/gtest.h>

#include <limits>

#include "engine/base/error.h"
#include "engine/ops/pool/max_pool_reference.h"
#include "engine/ops/shared/problems.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Pooled {
  std::vector<float> y;
  std::vector<std::int32_t> argmax;
};

/// Runs every rung on one row of numbers and expects the same of each.
void expect_row(const std::vector<float>& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                const Pooled& want, std::int64_t dilation = 1, bool ceil = false) {
  const auto size = static_cast<std::int64_t>(x.size());
  const PoolGeometry g{
      1, 1, {1, 1, size}, {1, 1, kernel}, {1, 1, stride}, {0, 0, padding}, {1, 1, dilation}, ceil};
  g.check();
  ASSERT_EQ(static_cast<std::size_t>(g.out_volume()), want.y.size());
  with_every_rung(
      MaxPoolForward(DType::kF32, g),
      [&](std::string_view rung, const auto&, const std::vector<float>& y,
          const std::vector<std::int32_t>& argmax) {
        EXPECT_EQ(argmax, want.argmax) << rung;
        for (std::size_t i = 0; i < y.size(); ++i) {
          EXPECT_TRUE(y[i] == want.y[i] || (std::isnan(y[i]) && std::isnan(want.y[i])))
              << rung << " " << i << " " << y[i];
        }
      },
      x, std::vector<float>(want.y.size()), std::vector<std::int32_t>(want.y.size()));
}

/// The geometries on which every rung runs the gauntlet.
std::vector<PoolGeometry> tested_geometries() {
  std::vector<PoolGeometry> geometries;
  for (const Ladder& ladder : all_kernels().ladders()) {
    if (ladder.op != MaxPoolForward::kName) continue;
    for (const auto& op : ladder.problems(DType::kF32))
      geometries.push_back(dynamic_cast<const MaxPoolForward&>(*op).geometry);
  }
  return geometries;
}

TEST(MaxPool, FirstOfTies) {
  expect_row({2, 2, 1, 3, 3, 3}, 3, 3, 0, {{2, 3}, {0, 3}});
}
TEST(MaxPool, PaddingNeverWins) {
  expect_row({-5, -7, -6}, 3, 1, 1, {{-5, -5, -6}, {0, 0, 2}});
}
TEST(MaxPool, MinusInfinityIsARealNumber) {
  expect_row({-kInfinity, -kInfinity, -kInfinity}, 3, 1, 1,
             {{-kInfinity, -kInfinity, -kInfinity}, {0, 0, 1}});
}
TEST(MaxPool, NanWins) {
  expect_row({1, kNan, kInfinity, 4, 5, 6}, 3, 3, 0, {{kNan, 6}, {1, 5}});
  expect_row({kNan, 1, 2}, 3, 1, 1, {{kNan, kNan, 2}, {0, 0, 2}});
}
TEST(MaxPool, LastNanWins) {  // as PyTorch's kernel does: a NaN always replaces what is there
  expect_row({kNan, 1, kNan}, 3, 1, 1, {{kNan, kNan, kNan}, {0, 2, 2}});
}
TEST(MaxPool, SignedZerosAreEqual) {
  expect_row({-0.0f, 0.0f}, 2, 2, 0, {{0}, {0}});
}

TEST(MaxPool, TapsCanLieApart) {
  expect_row({9, 1, 8, 2, 7, 3}, 3, 1, 0, {{9, 3}, {0, 5}}, 2);
  expect_row({1, 9, 2, 8, 3, 7}, 3, 1, 1, {{9, 3, 9, 3}, {1, 4, 1, 4}},
             2);  // from -1 on: 1, 3; from 0 on: 0, 2, 4
  expect_row({kNan, 5, 6, 7, 4}, 2, 2, 1, {{6, 5}, {2, 1}}, 3);
}
TEST(MaxPool, WindowsMayHangOverTheEnd) {
  expect_row({1, 2, 3, 4, 5}, 2, 2, 0, {{2, 4, 5}, {1, 3, 4}}, 1, true);
  expect_row({1, 2, 3, 4}, 3, 2, 0, {{3, 4}, {2, 3}}, 1, true);
  expect_row({1, 2}, 3, 2, 0, {{2}, {1}}, 1, true);  // larger than the input
  expect_row({5, 4, 3, 2, 1}, 3, 3, 1, {{5, 3}, {0, 2}}, 1, true);
}
TEST(MaxPool, ButTheLastMustStartInTheInputOrThePaddingInFrontOfIt) {
  expect_row({1, 2, 3, 4, 5}, 2, 3, 1, {{1, 4}, {0, 3}}, 1, true);  // a third would start at 5
  expect_row({1, 2, 3, 4, 5, 6}, 2, 3, 1, {{1, 4, 6}, {0, 3, 5}}, 1, true);
}

TEST(MaxPool, NansInPaddedCornersAgreeEverywhere) {
  // All NaN: every window must report its last real input, however the padding is handled.
  for (const PoolGeometry& g : tested_geometries()) {
    if (g.batch * g.channels > 8) continue;
    const auto inputs = static_cast<std::size_t>(g.batch * g.channels * g.in_volume());
    const auto outputs = static_cast<std::size_t>(g.batch * g.channels * g.out_volume());
    std::vector<std::int32_t> want;
    for (std::int64_t i = 0; i < g.out(0); ++i) {
      for (std::int64_t j = 0; j < g.out(1); ++j) {
        for (std::int64_t k = 0; k < g.out(2); ++k) {
          const std::int64_t at =
              (pool_range(g, i, 0).last() * g.in[1] + pool_range(g, j, 1).last()) * g.in[2] +
              pool_range(g, k, 2).last();
          want.insert(want.end(), static_cast<std::size_t>(g.row()), static_cast<std::int32_t>(at));
        }
      }
    }
    with_every_rung(
        MaxPoolForward(DType::kF32, g),
        [&](std::string_view rung, const auto&, const auto&, const std::vector<std::int32_t>& argmax) {
          EXPECT_EQ(argmax, want) << rung << " " << g.text();
        },
        std::vector<float>(inputs, kNan), std::vector<float>(outputs), std::vector<std::int32_t>(outputs));
  }
}

TEST(MaxPool, SamplesAndChannelsAreIndependent) {
  // Two positions, two channels, two samples: each of the four numbers of a row has its own winner.
  const PoolGeometry g{2, 2, {1, 1, 2}, {1, 1, 2}, {1, 1, 2}, {0, 0, 0}};
  with_every_rung(
      MaxPoolForward(DType::kF32, g),
      [](std::string_view rung, const auto&, const std::vector<float>& y,
         const std::vector<std::int32_t>& argmax) {
        EXPECT_EQ(y, (std::vector<float>{5, 6, 7, 4})) << rung;
        EXPECT_EQ(argmax, (std::vector<std::int32_t>{1, 0, 1, 0})) << rung;
      },
      std::vector<float>{1, 6, 3, 4, 5, 2, 7, 4}, std::vector<float>(4), std::vector<std::int32_t>(4));
}

TEST(MaxPool, GradientIsTheAdjoint) {
  for (const PoolGeometry& g : tested_geometries()) {
    const auto inputs = static_cast<std::size_t>(g.batch * g.channels * g.in_volume());
    const auto outputs = static_cast<std::size_t>(g.batch * g.channels * g.out_volume());
    if (inputs > 5000) continue;
    const auto x = normals(inputs, 1), v = normals(inputs, 2), w = normals(outputs, 3);
    DualVector x_dual = duals(x, v), y_dual(outputs);
    std::vector<std::int32_t> argmax(outputs);
    call_reference(max_pool_forward_reference<Dual<double>>, MaxPoolForward(DType::kF64, g), x_dual, y_dual,
                   argmax);
    std::vector<double> dx(inputs);
    call_reference(max_pool_backward_reference<double>, MaxPoolBackward(DType::kF64, g), w, argmax, dx);
    EXPECT_LT(adjoint_gap(Inner().add(derivatives(y_dual), w), Inner().add(v, dx)), kAdjointTolerance)
        << g.text();
  }
}

TEST(MaxPool, GeometryIsCheckedInWords) {
  const PoolGeometry good{1, 1, {4, 4, 4}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}};
  EXPECT_NO_THROW(good.check());
  const auto broken = [&](auto change) {
    PoolGeometry g = good;
    change(g);
    EXPECT_THROW(g.check(), Error) << g.text();
  };
  broken([](PoolGeometry& g) { g.batch = 0; });
  broken([](PoolGeometry& g) { g.channels = -1; });
  broken([](PoolGeometry& g) { g.in[1] = 0; });
  broken([](PoolGeometry& g) { g.stride[2] = 0; });
  broken([](PoolGeometry& g) { g.padding[0] = 2; });  // more than half the kernel: a window of padding only
  broken([](PoolGeometry& g) { g.padding[0] = -1; });
  broken([](PoolGeometry& g) { g.kernel = {9, 9, 9}; });
  broken([](PoolGeometry& g) { g.dilation[1] = 0; });
  broken([](PoolGeometry& g) { g.dilation[1] = 3; });  // a span of 7 in 6
  const auto words = [](const PoolGeometry& g) -> std::string {
    try {
      g.check();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  // Taps at -1 and 2 of an input of two: PyTorch returns minus infinity with an invalid index here.
  const PoolGeometry between{1, 1, {1, 1, 2}, {1, 1, 2}, {1, 1, 1}, {0, 0, 1}, {1, 1, 3}};
  EXPECT_NE(words(between).find("one is entirely in the padding"), std::string::npos) << words(between);
  const PoolGeometry reaching{1, 1, {1, 1, 3}, {1, 1, 2}, {1, 1, 1}, {0, 0, 1}, {1, 1, 3}};
  EXPECT_EQ(words(reaching), "");
}

TEST(MaxPool, TextsOfWhatIsUsualAreWhatTheyWere) {
  PoolGeometry g{2, 3, {4, 4, 4}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}};
  EXPECT_EQ(g.text(), "n2 c3 i4x4x4 k3x3x3 s2x2x2 p1x1x1");
  g.dilation = {1, 2, 1};
  g.ceil = true;
  EXPECT_EQ(g.text(), "n2 c3 i4x4x4 k3x3x3 s2x2x2 p1x1x1 d1x2x1 ceil");
}

TEST(MaxPool, HasAsManyWindowsAsPyTorch) {
  const auto windows = [](std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                          std::int64_t dilation, bool ceil) {
    return PoolGeometry{1,   1, {1, 1, in}, {1, 1, kernel}, {1, 1, stride}, {0, 0, padding}, {1, 1, dilation},
                        ceil}
        .out(2);
  };
  EXPECT_EQ(windows(112, 3, 2, 0, 1, false), 55);
  EXPECT_EQ(windows(112, 3, 2, 0, 1, true), 56);
  EXPECT_EQ(windows(5, 2, 3, 1, 1, true), 2);  // not three
  EXPECT_EQ(windows(32, 3, 2, 1, 2, false), 15);
  EXPECT_EQ(windows(32, 3, 2, 1, 2, true), 16);
  EXPECT_EQ(windows(2, 3, 2, 0, 1, true), 1);
}

TEST(MaxPool, CountsOnlyRealComparisons) {
  // 8^3 outputs of 15^3 inputs, kernel 3, stride 2, padding 1: 22 of 24 (output, tap) pairs per axis are
  // real.
  const PoolGeometry stem{2, 3, {15, 15, 15}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}};
  EXPECT_EQ(MaxPoolForward(DType::kF32, stem).flops(), 2 * 3 * 22 * 22 * 22);
  EXPECT_EQ(MaxPoolBackward(DType::kF32, stem).sum_length(), 8);
  // Five windows of taps 0, 2, 4 from -1 on: two, three, three, three and two of them in the input.
  const PoolGeometry apart{1, 1, {1, 1, 7}, {1, 1, 3}, {1, 1, 1}, {0, 0, 1}, {1, 1, 2}};
  EXPECT_EQ(MaxPoolForward(DType::kF32, apart).flops(), 13);
  EXPECT_EQ(MaxPoolBackward(DType::kF32, apart).sum_length(), 3);
}

}  // namespace
}  // namespace umbra

// Reductions over axes: how axes are merged, every set of axes against loops over all of them, ties and NaN,
// and gradients.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/ops/reduce/reduce_axes_reference.h"
#include "tests/fixtures/special_values.h"

namespace umbra {
namespace {

using namespace testing_ops;

constexpr AxisReduction kAll[] = {AxisReduction::kSum, AxisReduction::kMean, AxisReduction::kMax,
                                  AxisReduction::kMin};

using Extents = std::vector<std::int64_t>;

/// The axes whose bits are set.
std::vector<bool> axes_of(unsigned bits, std::size_t rank) {
  std::vector<bool> reduced(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) reduced[axis] = (bits >> axis & 1) != 0;
  return reduced;
}

/// For every element of a row-major tensor, the output it belongs to: its indices without the reduced axes.
std::vector<std::size_t> outputs_of(const Extents& extents, const std::vector<bool>& reduced) {
  std::size_t count = 1;
  for (std::int64_t extent : extents) count *= static_cast<std::size_t>(extent);
  std::vector<std::size_t> outputs(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i, stride = 1;
    for (std::size_t axis = extents.size(); axis-- > 0;) {
      const auto extent = static_cast<std::size_t>(extents[axis]);
      if (!reduced[axis]) outputs[i] += rest % extent * stride;
      if (!reduced[axis]) stride *= extent;
      rest /= extent;
    }
  }
  return outputs;
}

TEST(AxesGeometry, MergesNeighboursAndDropsSingleAxes) {
  const auto text = [](const Extents& extents, unsigned bits) {
    return AxesGeometry(extents, axes_of(bits, extents.size())).text();
  };
  EXPECT_EQ(text({2, 3, 4}, 0b000), "24");
  EXPECT_EQ(text({2, 3, 4}, 0b111), "(24)");
  EXPECT_EQ(text({2, 3, 4}, 0b110), "2 (12)");
  EXPECT_EQ(text({2, 3, 4}, 0b011), "(6) 4");
  EXPECT_EQ(text({2, 3, 4}, 0b101), "(2) 3 (4)");
  EXPECT_EQ(text({2, 1, 4}, 0b101), "(8)");
  EXPECT_EQ(text({2, 1, 4}, 0b010), "8");
  EXPECT_EQ(text({2, 3, 4, 5, 6, 7}, 0b010101), "(2) 3 (4) 5 (6) 7");
  EXPECT_EQ(text({2, 3, 4, 5, 6, 7}, 0b101010), "2 (3) 4 (5) 6 (7)");
  EXPECT_EQ(text({1, 1}, 0b01), "1");
  EXPECT_EQ(text({}, 0), "1");
}

TEST(AxesGeometry, EveryElementIsATermOfItsOutput) {
  const Extents extents{2, 3, 1, 2, 4, 3};
  for (unsigned bits = 0; bits < 64; ++bits) {
    const std::vector<bool> reduced = axes_of(bits, extents.size());
    const AxesGeometry g(extents, reduced);
    const AxesIndex index(g);
    const std::vector<std::size_t> outputs = outputs_of(extents, reduced);
    std::vector<int> seen(outputs.size());
    for (std::int64_t o = 0; o < g.outputs(); ++o) {
      for (std::int64_t t = 0; t < g.terms(); ++t) {
        const auto at = static_cast<std::size_t>(index.first(o) + index.step(t));
        ASSERT_LT(at, seen.size());
        ++seen[at];
        EXPECT_EQ(outputs[at], static_cast<std::size_t>(o)) << bits;
      }
    }
    EXPECT_EQ(seen, std::vector<int>(seen.size(), 1)) << bits;
  }
}

TEST(ReduceAxes, EverySetOfAxes) {
  const Extents extents{2, 3, 1, 2, 4, 3};
  std::vector<float> x(2 * 3 * 2 * 4 * 3);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 37 % 101) - 50;
  for (unsigned bits = 0; bits < 64; ++bits) {
    const std::vector<bool> reduced = axes_of(bits, extents.size());
    const std::vector<std::size_t> outputs = outputs_of(extents, reduced);
    for (AxisReduction how : kAll) {
      const ReduceAxesForward op(DType::kF32, how, AxesGeometry(extents, reduced));
      const auto count = static_cast<std::size_t>(op.geometry.outputs());
      std::vector<double> want(count, fold_start(how));
      for (std::size_t i = 0; i < x.size(); ++i) {
        double& value = want[outputs[i]];
        const double term = static_cast<double>(x[i]);
        if (how == AxisReduction::kMax) value = std::max(value, term);
        if (how == AxisReduction::kMin) value = std::min(value, term);
        if (how == AxisReduction::kSum) value += term;
        if (how == AxisReduction::kMean) value += term / static_cast<double>(op.geometry.terms());
      }
      with_every_rung(
          op,
          [&](std::string_view rung, const auto&, const std::vector<float>& y) {
            for (std::size_t o = 0; o < count; ++o)
              EXPECT_NEAR(y[o], want[o], 1e-5) << rung << " " << op << " " << o;
          },
          x, std::vector<float>(count));
    }
  }
}

void expect_result(AxisReduction how, const Doubles& row, double want, double relative = 0) {
  expect_reduced(Device::Kind::kCpu, how, row, want, relative);
}

TEST(ReduceAxes, ANanWins) {
  expect_nan_to_win_reductions(Device::Kind::kCpu);
}

TEST(ReduceAxes, InfinitiesAreNumbers) {
  expect_result(AxisReduction::kMax, Doubles(9, -kInfinity), -kInfinity);
  expect_result(AxisReduction::kMin, Doubles(9, kInfinity), kInfinity);
  expect_result(AxisReduction::kMax, {1, kInfinity, -kInfinity}, kInfinity);
  expect_result(AxisReduction::kMin, {1, kInfinity, -kInfinity}, -kInfinity);
  expect_result(AxisReduction::kSum, {1, kInfinity, -kInfinity}, kNan);
}

TEST(ReduceAxes, SumsAreHeldInDouble) {
  Doubles row(70001, 1e-3);
  row[0] = 1e6;  // a float sum would lose every other term
  row[70000] = -1e6;
  expect_result(AxisReduction::kSum, row, 69.999, 1e-6);
}

TEST(ReduceAxes, NothingSumsToZero) {
  with_every_rung(
      ReduceAxesForward(DType::kF32, AxisReduction::kSum, AxesGeometry(Extents{3, 0}, {false, true})),
      [](std::string_view rung, const auto&, const std::vector<float>& y) {
        EXPECT_EQ(y, std::vector<float>(3)) << rung;
      },
      std::vector<float>(), std::vector<float>(3, 7.0f));
}

void expect_gradient(AxisReduction how, const Doubles& row, double y, double dy, const Doubles& want) {
  expect_gradient_of_reduced(Device::Kind::kCpu, how, row, y, dy, want);
}

TEST(ReduceAxes, TiesShareTheGradient) {
  expect_gradient(AxisReduction::kMax, {3, 1, 3, 2, 3, 3}, 3, 6, {1.5, 0, 1.5, 0, 1.5, 1.5});
  expect_gradient(AxisReduction::kMin, {-3, 1, -3, 2}, -3, 6, {3, 0, 3, 0});
  expect_gradient(AxisReduction::kMax, {0.0, -0.0}, 0, 1, {0.5, 0.5});
  expect_gradient(AxisReduction::kMax, {-kInfinity, -kInfinity}, -kInfinity, 1, {0.5, 0.5});
  // With many terms, which are counted in parts.
  Doubles row(50000, 1.0), want(50000, 0.0);
  for (const std::size_t place : {0U, 16384U, 40000U, 49999U}) {
    row[place] = 2;
    want[place] = 0.25;
  }
  expect_gradient(AxisReduction::kMax, row, 2, 1, want);
}

TEST(ReduceAxes, NothingPassesWhatIsSmallerNotEvenInfinity) {
  expect_gradient(AxisReduction::kMax, {1, 2}, 2, kInfinity, {0, kInfinity});
}

TEST(ReduceAxes, ANanMakesNanOfTheGradient) {
  expect_nan_in_the_gradient_of_a_nan(Device::Kind::kCpu);
}

TEST(ReduceAxes, GradientIsTheAdjoint) {
  const Extents extents{3, 2, 4, 3};
  const auto x = normals(72, 1), v = normals(72, 2);
  for (unsigned bits = 0; bits < 16; ++bits) {
    for (AxisReduction how : kAll) {
      const AxesGeometry g(extents, axes_of(bits, extents.size()));
      const auto outputs = static_cast<std::size_t>(g.outputs());
      const auto w = normals(outputs, 3);
      DualVector x_dual = duals(x, v), y_dual(outputs);
      call_reference(reduce_axes_forward_reference<Dual<double>>, ReduceAxesForward(DType::kF64, how, g),
                     x_dual, y_dual);
      std::vector<double> y(outputs), dx(72);
      call_reference(reduce_axes_forward_reference<double>, ReduceAxesForward(DType::kF64, how, g), x, y);
      call_reference(reduce_axes_backward_reference<double>, ReduceAxesBackward(DType::kF64, how, g), w, x, y,
                     dx);
      EXPECT_LT(adjoint_gap(Inner().add(derivatives(y_dual), w), Inner().add(v, dx)), kAdjointTolerance)
          << name_of(how) << " " << g.text();
    }
  }
}

}  // namespace
}  // namespace umbra

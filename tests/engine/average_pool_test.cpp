// Average pooling over windows: which taps count, worked out by hand, its gradient, and the pools requested
// through the tape.
#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/grad/functions.h"
#include "engine/ops/pool/average_pool_reference.h"
#include "engine/ops/shared/problems.h"
#include "tests/fixtures/special_values.h"

namespace umbra {
namespace {

using namespace testing_ops;

using Floats = std::vector<float>;

/// Runs every rung on one row of numbers, with the padding counted or not, and expects the same of each.
void expect_row(const Floats& x, std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool ceil,
                const Floats& counted, const Floats& not_counted) {
  const auto size = static_cast<std::int64_t>(x.size());
  const PoolGeometry g{1, 1, {1, 1, size}, {1, 1, kernel}, {1, 1, stride}, {0, 0, padding}, {1, 1, 1}, ceil};
  g.check("average pooling");
  ASSERT_EQ(static_cast<std::size_t>(g.out_volume()), counted.size());
  for (const bool count_padding : {true, false}) {
    with_every_rung(
        AveragePoolForward(DType::kF32, g, count_padding),
        [&](std::string_view rung, const Floats&, const Floats& y) {
          EXPECT_EQ(y, count_padding ? counted : not_counted) << rung;
        },
        x, Floats(counted.size()));
  }
}

TEST(AveragePool, ThePaddingCountsOrNot) {
  expect_row({1, 2, 3, 4, 5}, 3, 2, 1, false, {1, 3, 3}, {1.5f, 3, 4.5f});
  expect_row({1, 2, 3, 4, 5, 6}, 3, 2, 0, false, {2, 4}, {2, 4});
}
TEST(AveragePool, WhatHangsOverTheEndNeverCounts) {
  expect_row({1, 2, 3, 4, 5}, 2, 2, 0, true, {1.5f, 3.5f, 5}, {1.5f, 3.5f, 5});
  // The last window starts at 5 of 6: it has one input, one padding element and one element past the padding.
  expect_row({1, 2, 3, 4, 5, 6}, 3, 2, 1, true, {1, 3, 5, 3}, {1.5f, 3, 5, 6});
}
TEST(AveragePool, AWindowOfOneIsTheNumber) {
  expect_row({-3, 0.1f, 7}, 1, 1, 0, false, {-3, 0.1f, 7}, {-3, 0.1f, 7});
}

TEST(AveragePool, CornersOfAPlane) {
  // Windows of 3 x 3 with padding 1: corners see four numbers, edges six.
  const PoolGeometry g{1, 1, {1, 3, 3}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}};
  const Floats ones(9, 1);
  const auto expect = [&](bool count_padding, const Floats& want) {
    with_every_rung(
        AveragePoolForward(DType::kF32, g, count_padding),
        [&](std::string_view rung, const Floats&, const Floats& y) { EXPECT_EQ(y, want) << rung; }, ones,
        Floats(9));
  };
  const float corner = 4.0f / 9, edge = 6.0f / 9;
  expect(true, {corner, edge, corner, edge, 1, edge, corner, edge, corner});
  expect(false, ones);
}

TEST(AveragePool, NanStaysWhereItIsSeen) {
  expect_nan_in_an_average_to_stay_where_it_is_seen(Device::Kind::kCpu);
}

TEST(AveragePool, GradientIsTheAdjoint) {
  int seen = 0;
  for (const Ladder& ladder : all_kernels().ladders()) {
    if (ladder.op != AveragePoolForward::kName) continue;
    for (const auto& problem : ladder.problems(DType::kF64)) {
      const auto& op = dynamic_cast<const AveragePoolForward&>(*problem);
      const PoolGeometry& g = op.geometry;
      const auto inputs = static_cast<std::size_t>(g.row() * g.in_volume());
      const auto outputs = static_cast<std::size_t>(g.row() * g.out_volume());
      if (inputs > 5000) continue;
      ++seen;
      const auto x = normals(inputs, 1), v = normals(inputs, 2), w = normals(outputs, 3);
      DualVector x_dual = duals(x, v), y_dual(outputs);
      call_reference(average_pool_forward_reference<Dual<double>>, op, x_dual, y_dual);
      std::vector<double> dx(inputs);
      call_reference(average_pool_backward_reference<double>,
                     AveragePoolBackward(DType::kF64, g, op.count_padding), w, dx);
      EXPECT_LT(adjoint_gap(Inner().add(derivatives(y_dual), w), Inner().add(v, dx)), kAdjointTolerance)
          << op.text();
    }
  }
  EXPECT_GT(seen, 20);
}

TEST(AveragePool, TextAndChecks) {
  PoolGeometry g{2, 3, {4, 4, 4}, {3, 3, 3}, {2, 2, 2}, {1, 1, 1}};
  EXPECT_EQ(AveragePoolForward(DType::kF32, g).text(), "n2 c3 i4x4x4 k3x3x3 s2x2x2 p1x1x1");
  EXPECT_EQ(AveragePoolForward(DType::kF32, g, false).text(),
            "n2 c3 i4x4x4 k3x3x3 s2x2x2 p1x1x1 count_padding=off");
  EXPECT_EQ(AveragePoolForward(DType::kF32, g).sum_length(), 27);
  EXPECT_EQ(AveragePoolBackward(DType::kF32, g).sum_length(), 8);
  g.dilation = {1, 1, 2};
  EXPECT_THROW(AveragePoolForward(DType::kF32, g), Error);
}

// ---- through the tape

struct PoolFunctions : testing::Test {
  Registry registry = make_registry();
  Context context{registry, {}};
  Tape tape{context};
  Pass pass{context, &tape, true};

  Var variable(const Shape& shape) {
    const Var var = constant(allocate_tensor({}, shape, DType::kF32));
    std::vector<double> values(static_cast<std::size_t>(shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
    from_host(values, var->value, context.stream);
    var->needs_grad = true;
    return var;
  }
  Tensor zeros(const Shape& shape) {
    const Tensor t = allocate_tensor({}, shape, DType::kF32);
    from_host(std::vector<double>(static_cast<std::size_t>(shape.count())), t, context.stream);
    return t;
  }
  std::vector<double> host(const Tensor& t) { return to_host(t, context.stream); }
  void expect_error(const std::function<void()>& body, std::string_view words) {
    try {
      body();
      ADD_FAILURE() << "nothing was thrown, but should have been: " << words;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }
};

TEST_F(PoolFunctions, TakeWindowsOverTheEndAndWithGaps) {
  const Var x = variable({1, 1, 5, 5});  // 0 to 24
  Window window = cubic_window(2, 2, 0);
  EXPECT_EQ(max_pool(pass, x, window)->value.shape(), (Shape{1, 1, 2, 2}));
  window.ceil = true;
  const Var largest = max_pool(pass, x, window), mean = average_pool(pass, x, window);
  EXPECT_EQ(largest->value.shape(), (Shape{1, 1, 3, 3}));
  EXPECT_EQ(host(largest->value), (std::vector<double>{6, 8, 9, 16, 18, 19, 21, 23, 24}));
  EXPECT_EQ(host(mean->value), (std::vector<double>{3, 5, 6.5, 13, 15, 16.5, 20.5, 22.5, 24}));
  window.dilation = {1, 3, 2};  // 2-D: the first axis is unused
  window.ceil = false;
  EXPECT_EQ(host(max_pool(pass, x, window)->value), (std::vector<double>{17, 19}));
  EXPECT_EQ(
      host(max_pool(pass, variable({1, 1, 1, 5, 5}), {.kernel = {1, 2, 2}, .dilation = {1, 3, 2}})->value),
      (std::vector<double>{17, 18, 19, 22, 23, 24}));
}

TEST_F(PoolFunctions, GapsOfASingleTapMeanNothing) {
  std::vector<std::string> calls;
  context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
    calls.push_back(concat(op.name(), " ", op));
  };
  const Var x = variable({1, 1, 5, 5});
  const Window gaps{.kernel = {1, 1, 2}, .dilation = {2, 2, 1}};
  EXPECT_EQ(host(max_pool(pass, x, gaps)->value), host(max_pool(pass, x, {.kernel = {1, 1, 2}})->value));
  average_pool(pass, x, gaps);
  EXPECT_FALSE(calls.empty());
  for (const std::string& call : calls) EXPECT_EQ(call.find(" d1x2"), std::string::npos) << call;
  expect_error([&] { max_pool(pass, x, {.dilation = {1, 0, 1}}); }, "needs a dilation that is positive");
  expect_error([&] { max_pool(pass, x, {.dilation = {1, std::int64_t{1} << 32, 1}}); }, "less than 2^31");
  context.observer = nullptr;
}

TEST_F(PoolFunctions, GradientsOfAveragesAreShares) {
  const Var x = variable({1, 1, 1, 1, 5});
  const Window window{.kernel = {1, 1, 3}, .stride = {1, 1, 2}, .padding = {0, 0, 1}};
  for (const bool count_padding : {true, false}) {
    x->grad = {};
    tape.backward(mean_squared_error(
        pass, flatten(pass, to_row_major(pass, average_pool(pass, x, window, count_padding))), zeros({1, 3}),
        Reduce::kSum));
    // Twice the outputs, which are 1/S (0 + 1), 1/3 (1 + 2 + 3) and 1/S (3 + 4), over S.
    const double size = count_padding ? 3 : 2, first = 2 * 1 / size / size, middle = 2 * 2.0 / 3,
                 last = 2 * 7 / size / size;
    const std::vector<double> got = host(x->grad), want{first, first + middle, middle, middle + last, last};
    for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(got[i], want[i], 1e-6) << i;
  }
}

TEST_F(PoolFunctions, RefuseInWords) {
  const Var x = variable({1, 1, 4, 4}), box = variable({1, 1, 4, 4, 4});
  Window gaps = cubic_window(2, 1, 0), over = gaps;
  gaps.dilation = {1, 1, 2};
  over.ceil = true;
  expect_error([&] { average_pool(pass, x, gaps); },
               "average pooling supports only windows without dilation");
  expect_error([&] { average_pool(pass, x, cubic_window(3, 1, 2)); },
               "average pooling needs a padding between 0 and half its kernel");
  expect_error([&] { average_pool(pass, variable({4, 4}), over); }, "average_pool: input [N, C, (D,) H, W]");
  for (const StemWindows& windows : {StemWindows{gaps, cubic_window(2, 2, 0)},
                                     {cubic_window(2, 1, 0), gaps},
                                     {cubic_window(2, 1, 0), over}}) {
    expect_error([&] { stem(pass, box, box, box, box, {}, windows); },
                 "stem: windows with dilation or ceil are not supported");
  }
}

}  // namespace
}  // namespace umbra

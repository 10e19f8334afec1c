// Convolutions with dilation and groups, in addition to conv_test.cpp: numbers worked out by hand, dilation
// as a kernel with holes, groups as separate convolutions, error messages and the reasons of rungs that
// decline, and the functions over them, with precisions and inference.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"
#include "engine/grad/functions.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/reference.h"
#include "engine/ops/conv/shapes.h"
#include "tests/fixtures/given_gradient.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;
using Doubles = std::vector<double>;

constexpr Triple kOnes{1, 1, 1}, kNone{0, 0, 0};

std::size_t size(std::int64_t count) {
  return static_cast<std::size_t>(count);
}

std::string what_of(const auto& throws) {
  try {
    throws();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
void expect_words(const std::string& sentence, std::initializer_list<const char*> words) {
  for (const char* word : words)
    EXPECT_NE(sentence.find(word), std::string::npos) << word << " in: " << sentence;
}

TEST(ConvGeometry, SaysDilationAndGroupsWhereThereAreAny) {
  ConvGeometry g{2, 4, 6, {1, 5, 7}, {1, 3, 3}, kOnes, {0, 1, 1}};
  EXPECT_EQ(g.text(), "n2 c4:6 i1x5x7 k1x3x3 s1x1x1 p0x1x1");
  EXPECT_TRUE(g.plain());
  g.dilation = {1, 2, 3};
  EXPECT_EQ(g.text(), "n2 c4:6 i1x5x7 k1x3x3 s1x1x1 p0x1x1 d1x2x3");
  g.groups = 2;
  EXPECT_EQ(g.text(), "n2 c4:6 i1x5x7 k1x3x3 s1x1x1 p0x1x1 d1x2x3 g2");
  EXPECT_EQ(g.out(), (Triple{1, 3, 3}));
  EXPECT_FALSE(g.plain());
}

TEST(ConvGeometry, CountsTheUsefulWorkOfAGroup) {
  const ConvGeometry one{2, 4, 6, {1, 5, 7}, {1, 3, 3}, kOnes, {0, 1, 1}};
  ConvGeometry two = one;
  two.groups = 2;
  EXPECT_EQ(two.weights(), 9 * 2 * 6);
  EXPECT_EQ(2 * ConvFprop(DType::kF32, two).flops(), ConvFprop(DType::kF32, one).flops());
  EXPECT_EQ(2 * ConvWgrad(DType::kF32, two).flops(), ConvWgrad(DType::kF32, one).flops());
  EXPECT_EQ(ConvFprop(DType::kF32, two).sum_length(), 9 * 2);
  EXPECT_EQ(ConvDgrad(DType::kF32, two).sum_length(), 9 * 3);
  EXPECT_EQ(ConvFprop(DType::kF32, two).buffers()[1].count, two.weights());
  EXPECT_EQ(conv_bytes(one) - conv_bytes(two), 4 * 9 * 2 * 6);
}

TEST(ConvGeometry, RefusesDilationAndGroupsInASentence) {
  const auto refusal = [](std::int64_t dilation, std::int64_t groups) {
    const ConvGeometry g{2, 4, 6, {1, 5, 7}, {1, 3, 3}, kOnes, {0, 1, 1}, {1, 1, dilation}, groups};
    return what_of([&] { g.check(); });
  };
  EXPECT_EQ(refusal(1, 1), "");
  EXPECT_EQ(refusal(4, 2), "");
  expect_words(refusal(5, 1), {"dilation 5", "padded extent 9", "empty"});
  expect_words(refusal(std::int64_t{1} << 31, 1), {"dilation must be positive and less than 2^31"});
  expect_words(refusal(0, 1), {"dilation must be positive"});
  expect_words(refusal(1, 0), {"groups must be positive"});
  expect_words(refusal(1, 4), {"c4:6", "divisible", "groups"});  // which divide 4 and not 6
  expect_words(refusal(1, 3), {"divisible"});
}

TEST(ConvReference, KnownNumbersWithDilation) {
  const ConvGeometry g{1, 1, 1, {1, 1, 4}, {1, 1, 2}, kOnes, {0, 0, 1}, {1, 1, 3}};
  const double x[] = {1, 2, 3, 4}, w[] = {10, 1};
  double y[3];
  conv_fprop_reference(g, x, w, y);
  EXPECT_EQ(Doubles(y, y + 3), (Doubles{3, 14, 20}));
  const double dy[] = {1, 2, 3};
  double dx[4], dw[2];
  conv_dgrad_reference(g, dy, w, dx);
  EXPECT_EQ(Doubles(dx, dx + 4), (Doubles{20, 30, 1, 2}));
  conv_wgrad_reference(g, x, dy, dw);
  EXPECT_EQ(Doubles(dw, dw + 2), (Doubles{8, 11}));
}

TEST(ConvReference, KnownNumbersWithGroups) {
  const ConvGeometry g{1, 4, 2, kOnes, kOnes, kOnes, kNone, kOnes, 2};
  const double x[] = {1, 2, 3, 4}, w[] = {10, 100, 1, 1000};  // [c of the group][k]
  double y[2];
  conv_fprop_reference(g, x, w, y);
  EXPECT_EQ(Doubles(y, y + 2), (Doubles{12, 4300}));
  const double dy[] = {2, 3};
  double dx[4], dw[4];
  conv_dgrad_reference(g, dy, w, dx);
  EXPECT_EQ(Doubles(dx, dx + 4), (Doubles{20, 2, 300, 3000}));
  conv_wgrad_reference(g, x, dy, dw);
  EXPECT_EQ(Doubles(dw, dw + 4), (Doubles{2, 9, 4, 12}));
}

// The weights of `g` in a kernel without dilation: zeros between the taps.
Doubles with_holes(const ConvGeometry& g, const ConvGeometry& dense, const Doubles& w) {
  const auto live = g.live_tap_list(), dense_live = dense.live_tap_list();
  const std::int64_t each = g.group_inputs() * g.out_channels;
  Doubles made(size(dense.weights()));
  for (std::size_t t = 0; t < live.size(); ++t) {
    const std::int64_t tap = live[t], KH = g.kernel[1], KW = g.kernel[2];
    const std::int64_t d = tap / (KH * KW) * g.dilation[0], h = tap / KW % KH * g.dilation[1];
    const std::int64_t dense_tap = (d * dense.kernel[1] + h) * dense.kernel[2] + tap % KW * g.dilation[2];
    const auto at = std::find(dense_live.begin(), dense_live.end(), dense_tap) - dense_live.begin();
    std::copy_n(w.begin() + static_cast<std::ptrdiff_t>(t) * each, each, made.begin() + at * each);
  }
  return made;
}

TEST(ConvReference, DilationIsAKernelWithHoles) {
  for (const ConvGeometry& g : dilated_and_grouped_convolutions()) {
    SCOPED_TRACE(g.text());
    ConvGeometry dense = g;
    dense.dilation = kOnes;
    for (std::size_t a = 0; a < 3; ++a) dense.kernel[a] = g.dilation[a] * (g.kernel[a] - 1) + 1;
    ASSERT_EQ(dense.out(), g.out());
    const Doubles x = normals(size(g.batch * g.in_channels * g.in_volume()), 1),
                  w = normals(size(g.weights()), 2);
    Doubles y(size(g.batch * g.out_channels * g.out_volume())), other = y;
    conv_fprop_reference(g, x.data(), w.data(), y.data());
    conv_fprop_reference(dense, x.data(), with_holes(g, dense, w).data(), other.data());
    EXPECT_EQ(y, other);
  }
}

TEST(ConvReference, GroupsAreConvolutionsOfTheirOwn) {
  for (const ConvGeometry& g : dilated_and_grouped_convolutions()) {
    SCOPED_TRACE(g.text());
    const std::int64_t C = g.in_channels, K = g.out_channels, N = g.batch, outputs = g.group_outputs();
    const Doubles x = normals(size(N * C * g.in_volume()), 1), w = normals(size(g.weights()), 2);
    Doubles y(size(N * K * g.out_volume()));
    conv_fprop_reference(g, x.data(), w.data(), y.data());
    ConvGeometry one = g;
    one.groups = 1;
    one.in_channels = g.group_inputs();
    one.out_channels = outputs;
    for (std::int64_t group = 0; group < g.groups; ++group) {
      Doubles own_x, own_w, own_y(size(N * outputs * g.out_volume())), want;
      const auto take = [](const Doubles& from, std::int64_t begin, std::int64_t count, Doubles& to) {
        to.insert(to.end(), from.begin() + begin, from.begin() + begin + count);
      };
      for (std::int64_t i = 0; i < g.in_volume(); ++i)
        take(x, (i * C + group * one.in_channels) * N, one.in_channels * N, own_x);
      for (std::int64_t row = 0; row < g.live_taps() * one.in_channels; ++row)
        take(w, row * K + group * outputs, outputs, own_w);
      for (std::int64_t o = 0; o < g.out_volume(); ++o)
        take(y, (o * K + group * outputs) * N, outputs * N, want);
      conv_fprop_reference(one, own_x.data(), own_w.data(), own_y.data());
      EXPECT_EQ(own_y, want);
    }
  }
}

TEST(ConvRungs, DeclineDilationAndGroupsInWords) {
  const ConvGeometry plain = conv_on_square(8, 6, 6, 7, 3, 1, 1);
  ConvGeometry dilated = plain, grouped = plain;
  dilated.dilation = {1, 2, 2};
  grouped.groups = 2;
  for (const Ladder& ladder : all_kernels().ladders()) {
    if (ladder.op != ConvFprop::kName) continue;
    for (const Kernel& kernel : ladder.kernels) {
      if (kernel.dtype != DType::kF32) continue;
      const bool everything = kernel.rung == "reference" || kernel.rung.ends_with("_1_lanes") ||
                              kernel.rung.ends_with("_1_naive") || kernel.rung == "cpu_4_rounded";
      for (const Precision precision : kPrecisions) {
        if (!kernel.declines(ConvFprop(DType::kF32, plain, precision)).empty()) continue;
        const std::string no_groups = kernel.declines(ConvFprop(DType::kF32, grouped, precision));
        EXPECT_EQ(no_groups, everything ? "" : "it supports only one group") << kernel.rung;
        const bool any_dilation = everything || kernel.device == Device::Kind::kCpu;
        const std::string no_dilation = kernel.declines(ConvFprop(DType::kF32, dilated, precision));
        EXPECT_EQ(no_dilation, any_dilation ? "" : "it supports only kernels without dilation")
            << kernel.rung;
      }
    }
  }
}

class ConvFunctionWithGroups : public testing::Test {
 protected:
  ConvFunctionWithGroups() {
    context_.observer = [this](const Op& op, const Kernel& kernel, std::span<const Tensor>, double) {
      if (op.name() != "transpose") calls_.push_back(concat(op.name(), " ", op.text(), " ", kernel.rung));
    };
  }
  Var numbers(const Shape& shape, std::uint64_t stream, const Layout& layout = {},
              DType dtype = DType::kF32) {
    const Tensor t = context_.temporary(shape, dtype, layout);
    from_host(normals(size(shape.count()), stream), t, context_.stream);
    Var var = constant(t);
    var->needs_grad = true;
    return var;
  }
  Doubles values(const Tensor& t) { return to_host(t, context_.stream); }
  /// Every op that ran since the last call, with its rung.
  std::vector<std::string> calls() { return std::exchange(calls_, {}); }
  /// [C] of one number.
  Var channels(std::int64_t count, double value) {
    const Tensor t = context_.temporary({count}, DType::kF32);
    from_host(Doubles(size(count), value), t, context_.stream);
    return constant(t);
  }

  Registry registry_ = make_registry();
  Context context_{registry_, {}};
  std::vector<std::string> calls_;
};

// y is linear in x and in w: <y, v> = <x, dx> = <w, dw>, in either layout. Two of the six taps see data.
TEST_F(ConvFunctionWithGroups, GradientsAreAdjoints) {
  const Triple stride{9, 2, 1}, padding{9, 0, 4}, dilation{9, 2, 4};  // the first axis is for 3-D
  const ConvGeometry g{1, 1, 1, {1, 4, 4}, {1, 2, 3}, {1, 2, 1}, {0, 0, 4}, {1, 2, 4}};
  const WeightLayouts layouts = conv_weight_layouts(g);
  Doubles first;
  for (const bool row_major : {false, true}) {
    Tape tape(context_);
    Pass pass{context_, &tape, true};
    const Var x = numbers({5, 4, 4, 4}, 1, row_major ? Layout{} : Layout::batch_last(), DType::kF64);
    const Var w = numbers({6, 2, 2, 3}, 2, layouts.value, DType::kF64);
    const Var y = conv(pass, x, w, stride, padding, dilation, 2);
    ASSERT_EQ(y->value.shape(), (Shape{5, 6, 1, 4}));
    const Doubles v = normals(120, 3), out = values(y->value);
    backward_from(pass, y, v);
    EXPECT_EQ(w->grad.layout(), layouts.grad);
    EXPECT_EQ(w->grad.count(), 2 * 2 * 6);
    const Inner yv = Inner().add(out, v);
    EXPECT_LT(adjoint_gap(yv, Inner().add(values(x->value), values(x->grad))), kAdjointTolerance);
    EXPECT_LT(adjoint_gap(yv, Inner().add(values(w->value), values(w->grad))), kAdjointTolerance);
    if (first.empty()) first = out;
    EXPECT_EQ(out, first);
  }
}

TEST_F(ConvFunctionWithGroups, RefusesWhatDoesNotFit) {
  Pass pass{context_};
  const Layout taps = conv_weight_layouts({1, 1, 1, {1, 5, 5}, {1, 3, 3}}).value;
  const auto refusal = [&](std::int64_t out_channels, std::int64_t groups, const Triple& dilation) {
    const Var x = numbers({2, 4, 5, 5}, 1), w = numbers({out_channels, 2, 3, 3}, 2, taps);
    return what_of([&] { conv(pass, x, w, kOnes, kNone, dilation, groups); });
  };
  EXPECT_EQ(refusal(6, 2, kOnes), "");
  expect_words(refusal(6, 1, kOnes), {"take 2 channels", "has 4"});
  expect_words(refusal(6, 3, kOnes), {"take 2 channels in each of 3 groups", "has 4"});
  expect_words(refusal(6, 0, kOnes), {"groups must be positive"});
  expect_words(refusal(5, 2, kOnes), {"divisible by the number of groups"});
  expect_words(refusal(6, 2, {1, 1, 3}), {"dilation 3", "padded extent 5"});
  // Taps that are live with dilation 1 and padding 4 are not all live with dilation 4.
  const Var x = numbers({2, 4, 3, 3}, 1);
  const Var w =
      numbers({6, 2, 3, 3}, 2, conv_weight_layouts({1, 1, 1, {1, 3, 3}, {1, 3, 3}, kOnes, {0, 4, 4}}).value);
  EXPECT_EQ(what_of([&] { conv(pass, x, w, kOnes, {0, 4, 4}, kOnes, 2); }), "");
  expect_words(what_of([&] { conv(pass, x, w, kOnes, {0, 4, 4}, {1, 4, 4}, 2); }), {"not laid out"});
}

// A kernel of 1 has no gaps: every rung supports it with any dilation.
TEST_F(ConvFunctionWithGroups, DilationOfASingleTapMeansNothing) {
  Pass pass{context_};
  const Var x = numbers({2, 4, 5, 5}, 1),
            w = numbers({6, 4, 1, 1}, 2, conv_weight_layouts({1, 1, 1, {1, 5, 5}, kOnes}).value);
  const Doubles plain = values(conv(pass, x, w, kOnes, kNone)->value);
  calls();
  EXPECT_EQ(values(conv(pass, x, w, kOnes, kNone, {1, 2, 3})->value), plain);
  for (const std::string& call : calls()) EXPECT_EQ(call.find(" d1x"), std::string::npos) << call;
  expect_words(what_of([&] { conv(pass, x, w, kOnes, kNone, {1, 0, 1}); }), {"dilation must be positive"});
}

// Which precisions a rung supports depends on the channels that are summed over; each precision has a rung.
TEST_F(ConvFunctionWithGroups, ComputeWithAnyPrecision) {
  const ConvGeometry g{1, 1, 1, {1, 5, 5}, {1, 3, 3}, kOnes, {0, 2, 2}, {1, 2, 2}};
  const Layout taps = conv_weight_layouts(g).value;
  for (const Precision precision : kPrecisions) {
    context_.precision = precision;
    for (const std::int64_t groups : {1, 2, 10}) {
      Tape tape(context_);
      Pass pass{context_, &tape, true};
      const Var x = numbers({3, 10, 5, 5}, 1), w = numbers({10, 10 / groups, 3, 3}, 2, taps);
      const Var y = conv(pass, x, w, kOnes, {0, 2, 2}, {1, 2, 2}, groups);
      backward_from(pass, y, Doubles(size(y->value.count()), 1.0));
      const std::vector<std::string> all = calls();
      const bool rounds = precision != Precision::kF32 && groups != 10;
      int convolutions = 0;
      for (const std::string& call : all) {
        convolutions += call.starts_with("conv_") ? 1 : 0;
        if (!call.starts_with("conv_")) continue;
        EXPECT_EQ(call.find("reference"), std::string::npos) << call;
        EXPECT_NE(call.find(" d1x2x2"), std::string::npos) << call;
        EXPECT_EQ(call.find(concat(" ", name_of(precision), " ")) != std::string::npos, rounds) << call;
      }
      EXPECT_EQ(convolutions, 3);
    }
  }
}

// The fused op against the two functions it is made of; also with weights stored as bfloat16.
TEST_F(ConvFunctionWithGroups, InferenceIsTheComposition) {
  const Triple padding{0, 1, 2}, dilation{1, 1, 2};
  const ConvGeometry g{1, 1, 1, {1, 5, 6}, {1, 3, 3}, kOnes, padding, dilation};
  const Layout taps = conv_weight_layouts(g).value;
  const BatchNormState state{channels(6, 0.25)->value, channels(6, 2)->value};
  const Var gamma = channels(6, 1.5), beta = channels(6, -0.5);
  for (const std::int64_t groups : {1, 3}) {
    Pass pass{context_};
    const Var x = numbers({3, 6, 5, 6}, 1), w = numbers({6, 6 / groups, 3, 3}, 2, taps);
    const Var residual = numbers({3, 6, 5, 6}, 3, Layout::batch_last());
    const Var y = conv(pass, x, w, kOnes, padding, dilation, groups);
    const Doubles want = values(batch_norm_relu(pass, y, gamma, beta, state, residual)->value);
    const auto infer = [&](const Var& weights) {
      return values(conv_inference(pass, x, weights, gamma, beta, state, kOnes, padding, true, residual,
                                   dilation, groups)
                        ->value);
    };
    const Doubles got = infer(w);
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-5) << groups << " " << i;
    const Tensor held = context_.temporary(w->value.shape(), DType::kBf16, conv_weight_layouts(g).grad);
    from_host(values(w->value), held, context_.stream);
    calls();
    const Doubles rounded = infer(constant(held));
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(rounded[i], want[i], 0.1) << groups << " " << i;
    EXPECT_NE(rounded, got);
    const std::string call = calls().back();
    expect_words(call, {"conv_inference", "weights=bf16", "cpu_"});
  }
}

}  // namespace
}  // namespace umbra

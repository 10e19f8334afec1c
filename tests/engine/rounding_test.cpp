// The precisions tf32 and bf16: the rounding, that the gauntlet's inputs distinguish it from similar
// roundings, how far products of rounded operands are from fp32, and which layers use which precision.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/nn/layers.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/matmul/op.h"
#include "tests/engine/op_rules.h"
#include "tests/fixtures/op_calls.h"
#include "tests/gauntlet/fills.h"

namespace umbra {
namespace {

using testing_ops::all_kernels;
using testing_ops::call_kernel;
using testing_ops::normals;
using Floats = std::vector<float>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

static_assert(round_to_tf32(1 + 0x1p-11f) == 1 + 0x1p-10f, "ties away from zero");
static_assert(round_to_tf32(-1 - 0x1p-11f) == -1 - 0x1p-10f);
static_assert(round_to_tf32(1 + 0x1p-10f + 0x1p-11f) == 1 + 0x1p-9f);
static_assert(round_to_tf32(1 + 0x1p-11f - 0x1p-23f) == 1);
static_assert(round_to_tf32(kLargest) == kInfinity && round_to_tf32(-kInfinity) == -kInfinity);
static_assert(round_to_bf16(1 + 0x1p-8f) == 1 && round_to_bf16(1 + 0x1p-7f + 0x1p-8f) == 1 + 0x1p-6f,
              "to even");
static_assert(rounded_to(Precision::kF32, 1.0f + 0x1p-23f) == 1.0f + 0x1p-23f);

/// The number with `bits` mantissa bits that is nearest to `value`; of ties the larger in size.
double nearest(double value, int bits) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);  // in [1/2, 1)
  return std::ldexp(std::round(std::ldexp(mantissa, bits + 1)), exponent - bits - 1);
}

TEST(Rounding, Tf32IsTheNearestOfTenBits) {
  const Rng rng(5, Purpose::kTest);
  for (std::uint64_t i = 0; i < 200000; ++i) {
    const std::uint32_t bits = rng.words(i)[0];
    const float value = std::bit_cast<float>(i % 2 == 0 ? bits : (bits & 0xfffff000) | 0x1000);  // and ties
    if (!std::isnormal(value) || std::abs(value) > 0x1p126f) continue;
    ASSERT_EQ(static_cast<double>(round_to_tf32(value)), nearest(static_cast<double>(value), 10)) << value;
    ASSERT_EQ(round_to_tf32(static_cast<double>(value)), static_cast<double>(round_to_tf32(value)));
  }
  for (const std::uint32_t nan : {0x7f800001u, 0x7fc00000u, 0xff801000u, 0xffffffffu})
    EXPECT_TRUE(std::isnan(round_to_tf32(std::bit_cast<float>(nan)))) << nan;
  EXPECT_EQ(round_to_tf32(0.0f), 0.0f);
  EXPECT_TRUE(std::signbit(round_to_tf32(-0.0f)));
}

// If these were rare, a kernel with another rounding could pass.
TEST(Rounding, TheGauntletsNumbersTellOneRoundingFromAnother) {
  const ConvFprop op(DType::kF32, conv_on_cube(33, 20, 40, 4, 1, 2, 0), Precision::kTf32);
  for (const gauntlet::Pattern pattern :
       {gauntlet::Pattern::kNormal, gauntlet::Pattern::kMagnitudes, gauntlet::Pattern::kOffset}) {
    int moved = 0, up = 0, ties = 0, count = 0;
    const std::vector<std::vector<double>> inputs =
        gauntlet::make_inputs(op, gauntlet::find_rules(op_rules(), op.name()), pattern, 2018);
    for (const double number : inputs[0]) {
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(number));
      ++count;
      moved += (bits & 0x1fff) != 0 ? 1 : 0;
      up += (bits & 0x1000) != 0 ? 1 : 0;
      ties += (bits & 0x3fff) == 0x1000 ? 1 : 0;  // ties to even would round down
    }
    EXPECT_GT(moved, count / 2) << gauntlet::name_of(pattern);
    EXPECT_GT(up, count / 3) << gauntlet::name_of(pattern);
    EXPECT_TRUE(pattern != gauntlet::Pattern::kMagnitudes || ties > count / 400) << ties << " of " << count;
  }
}

Floats run_chosen(const Op& op) {
  const std::vector<BufferSpec> specs = op.buffers();
  std::vector<Floats> memory;
  std::vector<void*> pointers;
  for (std::size_t b = 0; b < specs.size(); ++b) {
    const std::vector<double> numbers = normals(static_cast<std::size_t>(specs[b].count), b);
    memory.emplace_back(numbers.begin(), numbers.end());
    pointers.push_back(memory.back().data());
  }
  const Kernel& kernel = all_kernels().choose(op, Device::Kind::kCpu);
  std::vector<std::max_align_t> workspace(kernel.workspace(op) / sizeof(std::max_align_t) + 9);
  const auto address = (reinterpret_cast<std::uintptr_t>(workspace.data()) + 63) / 64 * 64;
  Stream stream{Device{}};
  kernel.run(op, pointers, reinterpret_cast<void*>(address), stream);
  for (std::size_t b = 0; b < specs.size(); ++b) {
    if (specs[b].access == Access::kOut) return memory[b];
  }
  return {};
}

/// Of the Frobenius norms: that of the difference over that of `a`.
double relative_distance(const Floats& a, const Floats& b) {
  double squares = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    squares += difference * difference;
    size += static_cast<double>(a[i]) * static_cast<double>(a[i]);
  }
  return std::sqrt(squares / size);
}

// Two operands of every product are moved, independently: by 2^-12 at most and some 2.1e-4 in the root mean
// square in TF32, by eight times that in bfloat16.
template <class O, class... Geometry>
void expect_errors(const Geometry&... geometry) {
  const O plain(DType::kF32, geometry...);
  const Floats exact = run_chosen(plain);
  const double tf32 = relative_distance(exact, run_chosen(O(DType::kF32, geometry..., Precision::kTf32)));
  const double bf16 = relative_distance(exact, run_chosen(O(DType::kF32, geometry..., Precision::kBf16)));
  EXPECT_LT(tf32, 5e-4) << plain.name() << " " << plain;
  EXPECT_GT(tf32, 1e-4) << plain.name() << " " << plain;
  EXPECT_LT(bf16, 3.5e-3) << plain.name() << " " << plain;
  EXPECT_GT(bf16, 1e-3) << plain.name() << " " << plain;
}

TEST(Rounding, ConvolutionsAreAsFarFromFp32AsTheirOperands) {
  for (const ConvGeometry& g : um_resnet_convolutions(32, 10)) {
    expect_errors<ConvFprop>(g);
    expect_errors<ConvDgrad>(g);
    expect_errors<ConvWgrad>(g);
  }
}
TEST(Rounding, MatrixProductsAreAsFarFromFp32AsTheirOperands) {
  for (const auto& [rows, in, out] :
       {std::array<std::int64_t, 3>{32, 400, 320}, {65, 97, 33}, {128, 256, 64}}) {
    expect_errors<LinearFprop>(rows, in, out, false);
    expect_errors<LinearDgrad>(rows, in, out, false);
    expect_errors<LinearWgrad>(rows, in, out, false);
  }
}

// The sum of dy is not a product.
TEST(Rounding, TheGradientOfABiasIsASumOfWhatIsThere) {
  const auto bias_gradient = [](Precision precision) {
    const LinearWgrad op(DType::kF32, 37, 5, 9, true, precision);
    Floats x(37 * 5, 1), dy(37 * 9), dw(9 * 5), db(9);
    const std::vector<double> numbers = normals(dy.size(), 3);
    std::copy(numbers.begin(), numbers.end(), dy.begin());
    call_kernel(all_kernels().choose(op, Device::Kind::kCpu), op, x, dy, dw, db);
    return db;
  };
  EXPECT_EQ(bias_gradient(Precision::kTf32), bias_gradient(Precision::kF32));
  EXPECT_EQ(bias_gradient(Precision::kBf16), bias_gradient(Precision::kF32));
}

TEST(Rounding, WeightsOfAnotherTypeNeedItsPrecision) {
  const ConvGeometry g = conv_on_cube(2, 5, 6, 3, 3, 1, 1);
  EXPECT_EQ(ConvFprop(DType::kF32, g, Precision::kBf16, DType::kBf16).text(),
            g.text() + " bf16 weights=bf16");
  EXPECT_EQ(LinearDgrad(DType::kF32, 2, 3, 4, true, Precision::kTf32).text(), "n2 f3:4 tf32");
  EXPECT_THROW(ConvFprop(DType::kF32, g, Precision::kTf32, DType::kBf16), Error);
  EXPECT_THROW(LinearFprop(DType::kF32, 2, 3, 4, true, Precision::kF32, DType::kBf16), Error);
}

/// Forward and backward of one linear layer: texts of its calls, its output and the gradient of its input.
struct LinearCalls {
  std::vector<std::string> texts;
  std::vector<double> y, dx;
};
LinearCalls call_linear(Precision precision, bool with_copy) {
  Context context(all_kernels(), {});
  context.precision = precision;
  LinearCalls calls;
  context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
    if (dynamic_cast<const LinearOp*>(&op) != nullptr) calls.texts.push_back(op.text());
  };
  const auto variable = [&](const Shape& shape, std::uint64_t stream) {
    const Tensor tensor = context.temporary(shape, DType::kF32);
    from_host(normals(static_cast<std::size_t>(shape.count()), stream), tensor, context.stream);
    Var var = constant(tensor);
    var->needs_grad = true;
    return var;
  };
  const Var x = variable({5, 7}, 1), w = variable({6, 7}, 2);
  if (with_copy) {  // of other numbers, so that their use is visible
    w->bf16_copy = context.temporary({6, 7}, DType::kBf16);
    from_host(normals(42, 9), w->bf16_copy, context.stream);
  }
  Tape tape(context);
  Pass pass{context, &tape};
  const Var y = linear(pass, x, w, nullptr);
  const Tensor target = context.temporary(y->value.shape(), DType::kF32);
  from_host(std::vector<double>(30, 0.0), target, context.stream);
  tape.backward(mean_squared_error(pass, y, target));
  calls.y = to_host(y->value, context.stream);
  calls.dx = to_host(x->grad, context.stream);
  return calls;
}

TEST(Rounding, LinearLayersFollowTheContextsPrecision) {
  const std::string text = "n5 f7:6 nobias";
  EXPECT_EQ(call_linear(Precision::kF32, false).texts, (std::vector<std::string>(3, text)));
  EXPECT_EQ(call_linear(Precision::kTf32, false).texts, (std::vector<std::string>(3, text + " tf32")));
  EXPECT_EQ(call_linear(Precision::kBf16, false).texts, (std::vector<std::string>(3, text + " bf16")));
}

TEST(Rounding, ABf16CopyIsReadForwardAndBackwardAndOnlyInBf16) {
  const LinearCalls plain = call_linear(Precision::kBf16, false), copy = call_linear(Precision::kBf16, true);
  const std::string text = "n5 f7:6 nobias bf16";
  EXPECT_EQ(copy.texts, (std::vector<std::string>{text + " weights=bf16", text, text + " weights=bf16"}));
  EXPECT_NE(copy.y, plain.y);
  EXPECT_NE(copy.dx, plain.dx);
  EXPECT_EQ(call_linear(Precision::kTf32, true).y, call_linear(Precision::kTf32, false).y);
}

// Only GPUs use copies: a network trained on a CPU has none.
TEST(Rounding, ANetworkOnACpuHasNoBf16Copies) {
  Build build{.precision = Precision::kBf16};
  const Conv conv(build, {3, 8, 8, 4, 3, 1, 1});
  const Linear linear(build, 8, 8);
  EXPECT_FALSE(conv.parameters()[0].var->bf16_copy.defined());
  EXPECT_FALSE(linear.parameters()[0].var->bf16_copy.defined());
}

}  // namespace
}  // namespace umbra

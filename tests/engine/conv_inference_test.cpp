// Inference of convolution, batch norm, residual and ReLU as one op: equality with the separate ops, NaN at
// the gate, statistics that would cancel, and the errors of the function over it.
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "engine/grad/functions.h"
#include "engine/ops/batch_norm/op.h"
#include "engine/ops/conv/inference.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/conv/shapes.h"
#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/relu.h"
#include "engine/ops/ladder.h"
#include "tests/fixtures/op_calls.h"

namespace umbra {
namespace {

using namespace testing_ops;
using Floats = std::vector<float>;

struct Case {
  ConvGeometry geometry;
  bool relu, residual;
  ConvInference op() const { return {DType::kF32, geometry, 1e-5, relu, residual}; }
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.op().text();
}

// Numbers for every input, in the order of the op's buffers; running_var is positive.
std::vector<Floats> numbers_for(const ConvInference& op) {
  std::vector<Floats> buffers;
  for (const BufferSpec& spec : op.buffers()) {
    const auto values = normals(static_cast<std::size_t>(spec.count), buffers.size() + 1);
    buffers.emplace_back(values.begin(), values.end());
    if (spec.fill != Fill::kPositive) continue;
    for (float& value : buffers.back()) value = std::abs(value) + 0.1f;
  }
  return buffers;
}

// The result of the fastest rungs of conv, batch_norm, add and relu, one after the other.
Floats composed(const Case& c, const std::vector<Floats>& in) {
  const ConvGeometry& g = c.geometry;
  const auto run = [](const Op& op, auto&... vectors) {
    call_kernel(all_kernels().choose(op, Device::Kind::kCpu), op, vectors...);
  };
  Floats y(in[7].size()), z(in[7].size());
  const auto count = static_cast<std::int64_t>(y.size());
  run(ConvFprop(DType::kF32, g), in[0], in[1], z);
  const Floats no_residual;
  run(BatchNormInference(DType::kF32, g.out_volume(), g.out_channels, g.batch, 1e-5), z, in[2], in[3], in[4],
      in[5], no_residual, y);
  if (c.residual) run(Add(DType::kF32, count), y, in[6], z);
  if (c.residual) std::swap(y, z);
  if (c.relu) run(ReluForward(DType::kF32, count), y, z);
  return c.relu ? z : y;
}

class ConvInferenceOp : public testing::TestWithParam<Case> {};

TEST_P(ConvInferenceOp, IsTheComposition) {
  const Case c = GetParam();
  const std::vector<Floats> in = numbers_for(c.op());
  const Floats want = composed(c, in);
  const double scale = std::sqrt(c.op().sum_length() + 1) / std::sqrt(0.1);  // of a sum over a small spread
  with_every_rung(
      c.op(),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
          const auto&, const auto& y) {
        for (std::size_t i = 0; i < y.size(); ++i) {
          ASSERT_NEAR(static_cast<double>(y[i]), static_cast<double>(want[i]), 16 * 0x1p-24 * 4 * scale)
              << rung << " " << i;
        }
      },
      in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]);
}

// 100 channels: several groups of taps, between which the sums are kept in y; they are finished once.
INSTANTIATE_TEST_SUITE_P(Cases, ConvInferenceOp,
                         testing::Values(Case{conv_on_cube(32, 20, 20, 4, 3, 1, 1), true, true},
                                         Case{conv_on_cube(32, 20, 40, 4, 1, 2, 0), false, false},
                                         Case{conv_on_cube(5, 3, 7, 3, 3, 1, 1), true, false},
                                         Case{conv_on_cube(17, 13, 25, 2, 2, 1, 1), false, true},
                                         Case{conv_on_cube(2, 101, 100, 2, 3, 1, 1), true, true},
                                         Case{conv_on_cube(3, 2, 5, 1, 1, 2, 1), true,
                                              true},  // no pair at all: only the shift
                                         Case{conv_on_square(9, 5, 6, 7, 3, 2, 1), true, true}));

// Whether weights are rounded in memory or when they are read, and with dot products of pairs or fp32 tiles,
// the numbers that are multiplied are the same; results are bit-identical where the rung is the same.
TEST(ConvInferenceBf16, StoredAndRoundedWeightsGiveTheSameBits) {
  const ConvGeometry g = conv_on_cube(19, 13, 25, 4, 3, 1, 1);
  const ConvInference rounds(DType::kF32, g, 1e-5, true, true, Precision::kBf16);
  const ConvInference stored(DType::kF32, g, 1e-5, true, true, Precision::kBf16, DType::kBf16);
  const std::vector<Floats> in = numbers_for(rounds);
  const std::vector<Bf16> weights(in[1].begin(), in[1].end());
  std::map<std::string, Floats> of_rounded;
  const auto keep = [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&,
                        const auto&, const auto&, const auto&,
                        const auto& y) { of_rounded[std::string(rung)] = y; };
  with_every_rung(rounds, keep, in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]);
  EXPECT_TRUE(of_rounded.contains("cpu_5_bf16_wide"));
  const auto compare = [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&,
                           const auto&, const auto&, const auto&,
                           const auto& y) { EXPECT_EQ(y, of_rounded.at(std::string(rung))) << rung; };
  with_every_rung(stored, compare, in[0], weights, in[2], in[3], in[4], in[5], in[6], in[7]);
}

TEST(ConvInferenceBf16, RungsOfOnePrecisionDeclineTheOtherInWords) {
  const ConvGeometry g = conv_on_cube(2, 5, 6, 3, 3, 1, 1);
  const ConvInference exact(DType::kF32, g, 1e-5, true, false);
  for (const DType weights : {DType::kF32, DType::kBf16}) {
    const ConvInference op(DType::kF32, g, 1e-5, true, false, Precision::kBf16, weights);
    EXPECT_NE(conv_inference_cpu_2_tiles().declines(op).find("fp32 only"), std::string::npos);
    EXPECT_EQ(conv_inference_cpu_5_bf16_wide().declines(op), "");
  }
  EXPECT_NE(conv_inference_cpu_5_bf16_wide().declines(exact).find("bf16 only"), std::string::npos);
  EXPECT_NE(conv_inference_cpu_6_bf16().declines(exact).find("bf16 only"), std::string::npos);
}

TEST(ConvInferenceNan, PassesTheGate) {
  const Case c{conv_on_cube(3, 1, 1, 1, 1, 1, 0), true, false};
  with_every_rung(
      c.op(),
      [&](std::string_view rung, const auto&, const auto&, const auto&, const auto&, const auto&, const auto&,
          const auto&, const auto& y) {
        EXPECT_TRUE(std::isnan(y[0])) << rung;
        EXPECT_EQ(y[1], 0) << rung;
        EXPECT_GT(y[2], 0) << rung;
      },
      Floats{std::numeric_limits<float>::quiet_NaN(), -1, 1}, Floats{1}, Floats{1}, Floats{0}, Floats{0},
      Floats{1}, Floats(), Floats(3));
}

class ConvInferenceFunction : public testing::Test {
 protected:
  Var numbers(const Shape& shape, std::uint64_t stream, const Layout& layout = Layout::batch_last()) {
    const Tensor t = context_.temporary(shape, DType::kF32, layout);
    from_host(normals(static_cast<std::size_t>(shape.count()), stream), t, context_.stream);
    return constant(t);
  }
  Var channels(double value) {
    const Tensor t = context_.temporary({3}, DType::kF32);
    from_host(std::vector<double>(3, value), t, context_.stream);
    return constant(t);
  }
  Var infer(Pass& pass, const Var& residual, const Var& gamma) {
    const Layout taps = conv_weight_layouts(conv_on_cube(4, 2, 3, 3, 3, 1, 1)).value;
    const BatchNormState state{channels(0.25)->value, channels(2)->value};
    return conv_inference(pass, numbers({4, 2, 3, 3, 3}, 1), numbers({3, 2, 3, 3, 3}, 2, taps), gamma,
                          channels(0.5), state, {1, 1, 1}, {1, 1, 1}, true, residual);
  }

  Registry registry_ = make_registry();
  Context context_{registry_, {}};
};

TEST_F(ConvInferenceFunction, TakesAResidualOfEitherLayout) {
  Pass pass{context_};
  const Shape shape{4, 3, 3, 3, 3};
  const Var batch_last = infer(pass, numbers(shape, 3), channels(1));
  const Var row_major = infer(pass, numbers(shape, 3, Layout{}), channels(1));
  EXPECT_EQ(to_host(batch_last->value, context_.stream), to_host(row_major->value, context_.stream));
}

TEST_F(ConvInferenceFunction, RefusesWhatDoesNotFit) {
  Pass pass{context_};
  EXPECT_THROW(infer(pass, numbers({4, 3, 3, 3, 2}, 3), channels(1)), Error);
  EXPECT_THROW(infer(pass, nullptr, numbers({4, 1}, 3, Layout{})), Error);
  Tape tape(context_);
  Pass recording{context_, &tape}, training{context_, nullptr, true};
  EXPECT_THROW(infer(recording, nullptr, channels(1)), Error);
  EXPECT_THROW(infer(training, nullptr, channels(1)), Error);
}

}  // namespace
}  // namespace umbra

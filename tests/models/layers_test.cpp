// Options of layers that our own networks do not use: names, shapes and initial values as in PyTorch, and
// that every option reaches the operation (whose numbers are tested in tests/engine and tests/golden).
#include "engine/nn/layers.h"

#include <gtest/gtest.h>

#include <cmath>

namespace umbra {
namespace {

class Layers : public testing::Test {
 protected:
  Var random(const Shape& shape, std::uint64_t stream, bool learnt = false) {
    const Tensor tensor = allocate_tensor({}, shape, DType::kF32);
    const Rng rng(3, Purpose::kTest, stream);
    std::vector<double> values(static_cast<std::size_t>(shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = rng.normal(i);
    from_host(values, tensor, context_.stream);
    const Var var = constant(tensor);
    var->needs_grad = learnt;
    return var;
  }
  std::vector<double> numbers(const Tensor& tensor) { return to_host(tensor, context_.stream); }

  Registry registry_ = make_registry();
  Context context_{registry_, {}};
  Build build_;
};

std::vector<std::string> names_of(const Module& module) {
  std::vector<std::string> names;
  for (const Parameter& p : module.parameters()) names.push_back(p.name);
  return names;
}

TEST_F(Layers, ConvTakesANumberForEveryAxis) {
  Conv conv(build_, {.rank = 2,
                     .in_channels = 2,
                     .out_channels = 3,
                     .extent = {6, 7},
                     .kernel = {3, 2},
                     .stride = {2, 1},
                     .padding = {1, 0},
                     .bias = true});
  EXPECT_EQ(names_of(conv), (std::vector<std::string>{"weight", "bias"}));
  EXPECT_EQ(conv.parameters()[0].value().shape(), (Shape{3, 2, 3, 2}));
  EXPECT_EQ(conv.out_extents(), (Triple{1, 3, 6}));
  Pass pass{context_};
  const Var x = random({2, 2, 6, 7}, 1);
  const Var y = conv.forward(pass, x);
  EXPECT_EQ(y->value.shape(), (Shape{2, 3, 3, 6}));
  const Conv next(build_, {.rank = 2, .in_channels = 3, .out_channels = 1, .extent = conv.out_extents()});
  EXPECT_EQ(next.out_extents(), (Triple{1, 1, 4}));
  const Var plain = umbra::conv(pass, x, conv.parameters()[0].var, Triple{1, 2, 1}, Triple{0, 1, 0});
  EXPECT_EQ(numbers(y->value), numbers(add_bias(pass, plain, conv.parameters()[1].var)->value));
}

TEST_F(Layers, ConvWithGroupsAndDilation) {
  Conv conv(build_, {.rank = 3,
                     .in_channels = 4,
                     .out_channels = 6,
                     .extent = {5, 6, 7},
                     .kernel = {1, 3, 3},
                     .padding = {0, 2, 1},
                     .dilation = {1, 2, 1},
                     .groups = 2});
  EXPECT_EQ(conv.parameters()[0].value().shape(), (Shape{6, 2, 1, 3, 3}));
  EXPECT_EQ(conv.out_extents(), (Triple{5, 6, 7}));
  Pass pass{context_};
  EXPECT_EQ(conv.forward(pass, random({2, 4, 5, 6, 7}, 1))->value.shape(), (Shape{2, 6, 5, 6, 7}));
}

// PyTorch draws weights and biases from ±1/sqrt(fan in).
TEST_F(Layers, InitialValuesHavePyTorchsBounds) {
  Conv conv(build_,
            {.rank = 2, .in_channels = 8, .out_channels = 16, .extent = 4, .groups = 4, .bias = true});
  Linear linear(build_, 18, 40);
  const double bound = 1 / std::sqrt(18.0);  // 8 / 4 channels of 3^2 taps; 18 inputs
  for (const Module* layer : {static_cast<const Module*>(&conv), static_cast<const Module*>(&linear)}) {
    for (const Parameter& p : layer->parameters()) {
      double largest = 0;
      for (const double value : numbers(p.value())) largest = std::max(largest, std::abs(value));
      EXPECT_LE(largest, bound) << p.name;
      EXPECT_GT(largest, 0.8 * bound) << p.name;
    }
  }
}

TEST_F(Layers, LinearWithoutBias) {
  Linear linear(build_, 3, 2, false);
  EXPECT_EQ(names_of(linear), (std::vector<std::string>{"weight"}));
  Pass pass{context_};
  const Var x = random({4, 3}, 1);
  EXPECT_EQ(numbers(linear.forward(pass, x)->value),
            numbers(umbra::linear(pass, x, linear.parameters()[0].var, nullptr)->value));
}

TEST_F(Layers, BatchNormHasAMomentumAndAnEpsilon) {
  BatchNorm norm(build_, 3, {.epsilon = 0.5, .momentum = 0.25});
  const Var x = random({8, 3}, 1);
  Tape tape(context_);
  Pass pass{context_, &tape, true};
  norm.forward(pass, x);
  const std::vector<double> values = numbers(x->value);
  const std::vector<double> running = numbers(norm.buffers()[0].tensor);
  for (std::size_t c = 0; c < 3; ++c) {
    double mean = 0;
    for (std::size_t n = 0; n < 8; ++n) mean += values[3 * n + c] / 8;
    EXPECT_NEAR(running[c], 0.25 * mean, 1e-6);
  }
  Pass evaluation{context_};
  const std::vector<double> y = numbers(norm.forward(evaluation, x)->value);
  const std::vector<double> var = numbers(norm.buffers()[1].tensor);
  EXPECT_NEAR(y[0], (values[0] - running[0]) / std::sqrt(var[0] + 0.5), 1e-5);
}

// Fine-tuning: a batch norm whose statistics are frozen passes gradients on.
TEST_F(Layers, BatchNormLearnsInEvaluationModeWithFrozenStatistics) {
  BatchNorm norm(build_, 3);
  const Var x = random({8, 3}, 1, true);
  const std::vector<double> before = numbers(norm.buffers()[0].tensor);
  Tape tape(context_);
  Pass pass{context_, &tape, false};
  const Tensor target = random({8, 3}, 2)->value;
  tape.backward(mean_squared_error(pass, norm.forward(pass, x), target));
  EXPECT_TRUE(x->grad.defined());
  for (const Parameter& p : norm.parameters()) EXPECT_TRUE(p.grad().defined()) << p.name;
  EXPECT_EQ(numbers(norm.buffers()[0].tensor), before);
}

TEST_F(Layers, ABatchNormBehindAConvWithBiasIsTheTwoInTurn) {
  Conv conv(build_,
            {.rank = 2, .in_channels = 2, .out_channels = 3, .extent = 5, .padding = 1, .bias = true});
  BatchNorm norm(build_, 3);
  Pass pass{context_};
  const Var x = random({2, 2, 5, 5}, 1);
  EXPECT_EQ(numbers(norm.forward_conv(pass, conv, x, true)->value),
            numbers(norm.forward_relu(pass, conv.forward(pass, x))->value));
}

}  // namespace
}  // namespace umbra

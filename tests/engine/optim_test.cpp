// Schedules, clipping, and the optimisers' handling of parameters without a gradient.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "engine/nn/layers.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/schedule.h"

namespace umbra {
namespace {

TEST(Schedule, StepHoldsItsValuesBetweenBoundaries) {
  const std::vector<std::int64_t> boundaries{10, 20};
  const std::vector<double> rates{0.1, 0.01, 0.001};
  EXPECT_EQ(step_schedule(0, boundaries, rates), 0.1);
  EXPECT_EQ(step_schedule(9, boundaries, rates), 0.1);
  EXPECT_EQ(step_schedule(10, boundaries, rates), 0.01);
  EXPECT_EQ(step_schedule(20, boundaries, rates), 0.001);
  EXPECT_EQ(step_schedule(1000000, boundaries, rates), 0.001);
  EXPECT_THROW(step_schedule(0, boundaries, {0.1}), Error);
}

TEST(Schedule, CosineWarmsUpAndEndsAtZero) {
  EXPECT_DOUBLE_EQ(cosine_schedule(0, 100, 10, 1.0), 0.1);
  EXPECT_DOUBLE_EQ(cosine_schedule(9, 100, 10, 1.0), 1.0);
  EXPECT_DOUBLE_EQ(cosine_schedule(10, 100, 10, 1.0), 1.0);
  EXPECT_NEAR(cosine_schedule(55, 100, 10, 1.0), 0.5, 1e-12);
  EXPECT_NEAR(cosine_schedule(100, 100, 10, 1.0), 0.0, 1e-12);
  EXPECT_DOUBLE_EQ(cosine_schedule(0, 100, 0, 2.0), 2.0);
}

struct OptimizerTest : testing::Test {
  Registry registry = make_registry();
  Context context{registry, {}};
  Build build{{}, DType::kF32, 1};
  Linear dense{build, 3, 2};

  void set_gradient(const Parameter& p, double value) {
    p.grad() = context.temporary(p.value().shape(), DType::kF32);
    from_host(std::vector<double>(static_cast<std::size_t>(p.value().count()), value), p.grad(),
              context.stream);
  }
};

TEST_F(OptimizerTest, ClippingReportsTheNormAndScalesToTheLimit) {
  const std::vector<Parameter> parameters = dense.parameters();  // 6 weights and 2 biases
  for (const Parameter& p : parameters) set_gradient(p, 3);
  EXPECT_NEAR(clip_gradients(context, parameters, 0), std::sqrt(72.0), 1e-6);
  EXPECT_EQ(parameters[0].grad().values<float>()[0], 3);  // 0: no clipping
  EXPECT_NEAR(clip_gradients(context, parameters, 1.0), std::sqrt(72.0), 1e-6);
  EXPECT_NEAR(clip_gradients(context, parameters, 0), 1.0, 1e-5);
  EXPECT_NEAR(clip_gradients(context, parameters, 100.0), 1.0, 1e-5);
  EXPECT_NEAR(clip_gradients(context, parameters, 0), 1.0, 1e-5);
}

TEST_F(OptimizerTest, TheNormStaysOnTheDeviceAndIsThatBeforeClipping) {
  const std::vector<Parameter> parameters = dense.parameters();
  for (const Parameter& p : parameters) set_gradient(p, 3);
  const Tensor norm = gradient_norm(context, parameters, 1.0);
  ASSERT_EQ(norm.dtype(), DType::kF64);
  EXPECT_EQ(norm.values<double>()[0], std::sqrt(72.0));
  EXPECT_EQ(parameters[0].grad().values<float>()[0], 3 * static_cast<float>(1.0 / (std::sqrt(72.0) + 1e-6)));
  for (const Parameter& p : parameters) p.grad() = {};
  EXPECT_EQ(clip_gradients(context, parameters, 1.0), 0) << "nothing has no length";
}

TEST_F(OptimizerTest, ANormThatIsNotFiniteIsToldAndClipsNothing) {
  const std::vector<Parameter> parameters = dense.parameters();
  for (const double bad : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    for (const Parameter& p : parameters) set_gradient(p, 3);
    parameters[1].grad().values<float>()[1] = static_cast<float>(bad);
    EXPECT_FALSE(std::isfinite(clip_gradients(context, parameters, 1.0)));
    EXPECT_EQ(parameters[0].grad().values<float>()[0], 3);
  }
}

// As in a replayed graph: the same update with other numbers in the same memory.
TEST_F(OptimizerTest, AdvanceAndApplyAreAStep) {
  for (const std::string kind : {"sgd", "dampened", "adam"}) {
    Build one_build{{}, DType::kF32, 1}, other_build{{}, DType::kF32, 1};
    Linear one(one_build, 3, 2), other(other_build, 3, 2);
    const auto optimizer_of = [&](const Linear& layer) {
      return kind == "adam" ? make_adam(layer.parameters(), {})
                            : make_sgd(layer.parameters(), {0.9, 0.1, kind == "sgd" ? 0 : 0.5});
    };
    const auto whole = optimizer_of(one), split = optimizer_of(other);
    Tensor scalars;
    for (const double lr : {0.1, 0.01, 0.02}) {
      for (const Linear* layer : {&one, &other}) {
        for (const Parameter& p : layer->parameters()) set_gradient(p, lr + 1);
      }
      whole->step(context, lr);
      const std::vector<double> numbers = split->advance(lr);
      if (!scalars.defined())
        scalars = allocate_tensor({}, {static_cast<std::int64_t>(numbers.size())}, DType::kF64);
      from_host(numbers, scalars, context.stream);
      split->apply(context, scalars);
    }
    EXPECT_EQ(whole->steps(), split->steps());
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(to_host(one.parameters()[i].value(), context.stream),
                to_host(other.parameters()[i].value(), context.stream));
      EXPECT_FALSE(other.parameters()[i].grad().defined());
    }
  }
}

// In a parameter's first step, whenever it happens, the whole gradient becomes the velocity; later gradients
// are dampened. A resumed optimiser knows which parameters have had their first step.
TEST_F(OptimizerTest, DampeningSparesTheFirstStepOfAParameter) {
  const SgdOptions options{.momentum = 0.5, .dampening = 0.25};
  const std::vector<Parameter> parameters = dense.parameters();
  auto sgd = make_sgd(parameters, options);
  std::map<std::string, double> velocity;  // by hand
  for (int step = 1; step <= 4; ++step) {
    for (std::size_t i = 0; i < 2; ++i) {
      if (i == 1 && step < 3) continue;  // the biases have no gradient yet
      set_gradient(parameters[i], step);
      double& v = velocity[parameters[i].name];
      v = step == (i == 0 ? 1 : 3) ? step : 0.5 * v + 0.75 * step;
    }
    sgd->step(context, 0.5);
    const std::vector<NamedTensor> state = sgd->state();
    ASSERT_EQ(state.size(), 4U);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(state[i].tensor.values<float>()[0], static_cast<float>(velocity[parameters[i].name])) << step;
    }
    const auto resumed = make_sgd(parameters, options);  // as from a checkpoint
    for (std::size_t k = 0; k < 4; ++k) {
      EXPECT_EQ(resumed->state()[k].name, state[k].name);
      assign(resumed->state()[k].tensor, row_major_on_host(state[k].tensor, context.stream), context.stream);
    }
    EXPECT_EQ(resumed->advance(0.5), sgd->advance(0.5));
  }
}

TEST_F(OptimizerTest, NesterovNeedsMomentumAndNoDampening) {
  const auto make = [&](const SgdOptions& options) { return make_sgd(dense.parameters(), options); };
  EXPECT_NO_THROW(make({.momentum = 0.9, .nesterov = true}));
  EXPECT_THROW(make({.nesterov = true}), Error);
  EXPECT_THROW(make({.momentum = 0.9, .dampening = 0.1, .nesterov = true}), Error);
}

// Without momentum nothing is dampened and no state is kept.
TEST_F(OptimizerTest, DampeningWithoutMomentumDoesNothing) {
  const auto sgd = make_sgd(dense.parameters(), {.dampening = 0.5});
  EXPECT_TRUE(sgd->state().empty());
  EXPECT_EQ(sgd->advance(0.1), std::vector<double>{0.1});
}

TEST_F(OptimizerTest, AStepIsOneCall) {
  std::vector<std::string> calls;
  context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
    calls.emplace_back(op.name());
  };
  const auto adam = make_adam(dense.parameters(), {.weight_decay = 0.1});
  for (const Parameter& p : dense.parameters()) set_gradient(p, 1);
  adam->step(context, 0.1);
  adam->step(context, 0.1);  // nothing has a gradient
  EXPECT_EQ(calls, (std::vector<std::string>{"adam_step"}));
  calls.clear();
  for (const Parameter& p : dense.parameters()) set_gradient(p, 1);
  clip_gradients(context, dense.parameters(), 1.0);
  EXPECT_EQ(calls, (std::vector<std::string>{"gradient_norm", "clip"}));
}

TEST_F(OptimizerTest, AParameterWithoutAGradientStays) {
  const std::vector<Parameter> parameters = dense.parameters();
  set_gradient(parameters[0], 1);
  const float weight = parameters[0].value().values<float>()[0],
              bias = parameters[1].value().values<float>()[0];
  const auto adam = make_adam(parameters, {});
  adam->step(context, 0.1);
  EXPECT_NEAR(parameters[0].value().values<float>()[0], weight - 0.1F,
              1e-6);  // Adam's first step is lr in size
  EXPECT_EQ(parameters[1].value().values<float>()[0], bias);
  EXPECT_FALSE(parameters[0].grad().defined());  // step() forgets the gradients
  EXPECT_EQ(adam->steps(), 1);
}

TEST_F(OptimizerTest, StateIsNamedAfterTheParameters) {
  EXPECT_EQ(make_sgd(dense.parameters(), {})->state().size(), 0U);
  const auto sgd = make_sgd(dense.parameters(), {0.9, 0});
  ASSERT_EQ(sgd->state().size(), 2U);
  EXPECT_EQ(sgd->state()[0].name, "weight.velocity");
  const auto adam = make_adam(dense.parameters(), {});
  ASSERT_EQ(adam->state().size(), 4U);
  EXPECT_EQ(adam->state()[3].name, "bias.exp_avg_sq");
}

// A 3^3 kernel on one position: only its centre tap ever meets data. Its dead taps must change exactly as in
// a dense layer whose gradient is zero there, with and without decay.
TEST_F(OptimizerTest, DeadTapsFareLikeWeightsWithoutAGradient) {
  for (const double decay : {0.0, 0.1}) {
    for (const std::string kind : {"sgd", "momentum", "dampened", "nesterov", "adam", "adamw"}) {
      Conv sparse(build, {.in_channels = 3, .out_channels = 2, .extent = 1, .padding = 1});
      Linear full(build, 81, 2);
      const Parameter tap = sparse.parameters()[0], row = full.parameters()[0];
      EXPECT_EQ(tap.var->grad_layout.stored(tap.value().shape()), 6);
      std::vector<double> values(162), gradient(162);
      const Rng rng(1, Purpose::kTest);
      for (std::size_t i = 0; i < 162; ++i) {
        values[i] = rng.normal(i);
        gradient[i] = i % 27 == 13 ? rng.normal(1000 + i) : 0;
      }
      from_host(values, tap.value(), context.stream);
      from_host(values, row.value(), context.stream);
      const auto optimizer_of = [&](const Parameter& p) {
        if (kind != "adam" && kind != "adamw") {
          const double dampening = kind == "dampened" ? 0.25 : 0;
          return make_sgd({p}, {kind == "sgd" ? 0 : 0.9, decay, dampening, kind == "nesterov"});
        }
        return make_adam({p}, {.weight_decay = decay, .decoupled = kind == "adamw"});
      };
      const auto one = optimizer_of(tap), other = optimizer_of(row);
      for (int step = 0; step < 3; ++step) {
        for (const Parameter& p : {tap, row}) {
          p.grad() = context.temporary(p.value().shape(), DType::kF32, p.var->grad_layout);
          from_host(gradient, p.grad(), context.stream);
        }
        one->step(context, 0.01);
        other->step(context, 0.01);
      }
      EXPECT_EQ(to_host(tap.value(), context.stream), to_host(row.value(), context.stream)) << kind << decay;
      const double moved =
          to_host(tap.value(), context.stream)[0] - static_cast<double>(static_cast<float>(values[0]));
      EXPECT_EQ(moved != 0, decay != 0) << kind;
      for (const NamedTensor& moment : one->state()) {
        if (moment.name.ends_with(".moved")) continue;
        EXPECT_EQ(moment.tensor.count(), decay == 0 ? 6 : 162)
            << "moments of dead taps are not held without decay";
      }
    }
  }
}

}  // namespace
}  // namespace umbra

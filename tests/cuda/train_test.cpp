// Training with CUDA kernels: compared with the CPU, replayed as a graph compared with queued, and repeated.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/runtime/backend.h"
#include "models/um_resnet.h"
#include "tests/cuda/small_volumes.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

constexpr Device kGpu{Device::Kind::kCuda, 0};
using cuda_test::Boxes;
using cuda_test::Net;
using Numbers = std::vector<double>;

struct Log final : Observer {
  std::vector<Report> steps, validations, done;
  std::int64_t stop_at = -1;
  void on_step(const Report& r) override { steps.push_back(r); }
  void on_validation(const Report& r) override { validations.push_back(r); }
  void on_step_done(const Report& r, bool) override { done.push_back(r); }
  bool wants_state(std::int64_t step) const override { return step % 5 == 0; }
  bool wants_stop() const override { return !steps.empty() && steps.back().step == stop_at; }
};

struct Outcome {
  Log log;
  std::map<std::string, Numbers> state;
  std::map<std::string, Numbers> bf16_copies;  // of weights, by their names
  std::map<std::string, Numbers> packed;       // their packed forms, straight, then transposed
  std::set<std::string> texts;                 // of the ops that were called outside of graphs
  int forward_passes = 0;                      // in training, replayed ones not counted
};

struct RunSetup {
  bool graph = true;
  double clip = 0;
  std::int64_t epochs = 3;
  bool drop_last = true;
  Precision precision = Precision::kF32;
  std::int64_t from = 0;           // the first step
  const Outcome* after = nullptr;  // begins with its state
  bool used = false;               // the network has taken other steps before its state is written
  std::string optimizer = "adam";
  std::function<double(std::int64_t)> rate = [](std::int64_t step) {
    return 0.02 / (1.0 + static_cast<double>(step));
  };
};

Outcome train(Device device, const RunSetup& setup) {
  constexpr std::int64_t kVoxels = 6;
  const Boxes data(22, kVoxels);
  const Registry registry = make_registry();
  Context context(registry, device);
  context.precision = setup.precision;
  Build build{device, DType::kF32, 3};
  build.precision = setup.precision;
  Net net(build, kVoxels);
  const auto optimizer = setup.optimizer == "sgd"
                             ? make_sgd(net.parameters(), {.momentum = 0.9, .weight_decay = 1e-3})
                             : make_adam(net.parameters(), {.weight_decay = 1e-3});
  Objective objective;
  Outcome outcome;
  objective.predict = [&](Pass& pass, const Var& x) {
    outcome.forward_passes += pass.training ? 1 : 0;
    return net.forward(pass, x);
  };
  objective.loss = [](Pass& pass, const Var& p, const Tensor& target) {
    return mean_squared_error(pass, p, target);
  };
  objective.metric = [](std::span<const double> p, std::span<const double> t) {
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) sum += (p[i] - t[i]) * (p[i] - t[i]);
    return sum;
  };
  const Loader training(data, {5, 11, true, setup.drop_last, true}),
      validation(data, {8, 11, false, false, false});
  TrainerOptions options{setup.epochs, 11, setup.clip, true, setup.rate, setup.graph};
  if (setup.used) {
    TrainerOptions before = options;
    before.epochs = 1;
    Trainer(context, net, *optimizer, objective, before).run(training, nullptr, 2, {});
  }
  if (setup.after != nullptr) {
    for (const NamedTensor& t : net.state())
      from_host(setup.after->state.at(t.name), t.tensor, context.stream);
    for (const NamedTensor& t : optimizer->state())
      from_host(setup.after->state.at(t.name), t.tensor, context.stream);
    optimizer->set_steps(setup.from);
  }
  if (!setup.graph) {
    context.observer = [&](const Op& op, const Kernel&, std::span<const Tensor>, double) {
      outcome.texts.insert(concat(op.name(), " ", op.text()));
    };
  }
  Trainer(context, net, *optimizer, objective, options)
      .run(training, &validation, setup.from, {&outcome.log});
  for (const NamedTensor& t : net.state()) outcome.state[t.name] = to_host(t.tensor, context.stream);
  for (const NamedTensor& t : optimizer->state()) outcome.state[t.name] = to_host(t.tensor, context.stream);
  for (const Parameter& p : net.parameters()) {
    const Tensor& copy = p.var->bf16_copy;
    if (copy.defined()) outcome.bf16_copies[p.name] = to_host(copy, context.stream);
    if (!p.var->packed.straight.defined()) continue;
    Numbers& packed = outcome.packed[p.name];
    for (const Tensor& form : {p.var->packed.straight, p.var->packed.transposed})
      for (const double number : to_host(form, context.stream)) packed.push_back(number);
  }
  return outcome;
}

void expect_same_bits(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.state, b.state);
  ASSERT_EQ(a.log.steps.size(), b.log.steps.size());
  for (std::size_t i = 0; i < a.log.steps.size(); ++i) {
    EXPECT_EQ(a.log.steps[i].step, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(a.log.steps[i].loss, b.log.steps[i].loss) << i;
    EXPECT_EQ(a.log.steps[i].metric, b.log.steps[i].metric) << i;
    EXPECT_EQ(a.log.steps[i].gradient_norm, b.log.steps[i].gradient_norm) << i;
    EXPECT_EQ(a.log.steps[i].learning_rate, b.log.steps[i].learning_rate) << i;
  }
  ASSERT_EQ(a.log.validations.size(), b.log.validations.size());
  for (std::size_t i = 0; i < a.log.validations.size(); ++i) {
    EXPECT_EQ(a.log.validations[i].loss, b.log.validations[i].loss);
    EXPECT_EQ(a.log.validations[i].metric, b.log.validations[i].metric);
  }
}

struct CudaTrain : testing::Test {
  void SetUp() override {
    if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
    cuda_test::set_schedule(0);
  }
};

TEST_F(CudaTrain, AReplayedStepGivesTheBitsOfAQueuedOne) {
  for (const double clip : {0.0, 0.3}) {
    const Outcome queued = train(kGpu, {.graph = false, .clip = clip});
    expect_same_bits(queued, train(kGpu, {.graph = true, .clip = clip}));
    EXPECT_EQ(queued.state.at("norm.num_batches_tracked")[0], 12);
    EXPECT_LT(queued.log.validations.back().loss, queued.log.validations.front().loss);
  }
}

TEST_F(CudaTrain, EveryBatchSizeIsCapturedOnce) {
  const Outcome queued = train(kGpu, {.graph = false, .drop_last = false}),
                replayed = train(kGpu, {.graph = true, .drop_last = false});
  expect_same_bits(queued, replayed);
  EXPECT_EQ(queued.log.steps.size(), 15u);
  EXPECT_EQ(queued.forward_passes, 15);
  EXPECT_EQ(replayed.forward_passes, 4);  // of each of two sizes one that is queued and one that is captured
}

TEST_F(CudaTrain, TwoRunsGiveTheSameBits) {
  const Outcome first = train(kGpu, {});
  cuda_test::set_schedule(1);
  expect_same_bits(first, train(kGpu, {}));
}

TEST_F(CudaTrain, ObserversSeeEveryStepAndTheStateTheyAskFor) {
  const Outcome outcome = train(kGpu, {});
  ASSERT_EQ(outcome.log.steps.size(), 12u);
  for (const std::int64_t step : {4, 5, 8, 10, 12}) {  // ends of epochs, and every fifth step
    EXPECT_TRUE(std::any_of(outcome.log.done.begin(), outcome.log.done.end(), [&](const Report& r) {
      return r.step == step;
    })) << step;
  }
}

// The bounds are for another order of sums. On a GPU products and sums are also fused, by nvcc. If the gauntlet passes
// there and this test fails by less than ten times a bound, suspect the bound (1e-6 is 17 times 2^-24), not a kernel.
TEST_F(CudaTrain, FollowsTheCpu) {
  // Adam divides by the gradient's size, so that rounding grows from step to step: a few steps only.
  const Outcome cpu = train({}, {.epochs = 1}), gpu = train(kGpu, {.epochs = 1});
  for (std::size_t i = 0; i < cpu.log.steps.size(); ++i) {
    EXPECT_NEAR(gpu.log.steps[i].loss, cpu.log.steps[i].loss, 1e-4 * std::abs(cpu.log.steps[i].loss)) << i;
    EXPECT_NEAR(gpu.log.steps[i].gradient_norm, cpu.log.steps[i].gradient_norm,
                1e-3 * cpu.log.steps[i].gradient_norm);
  }
  // Before the first update no rounding has grown.
  EXPECT_NEAR(gpu.log.steps[0].loss, cpu.log.steps[0].loss, 1e-6 * cpu.log.steps[0].loss);
  EXPECT_NEAR(gpu.log.steps[0].gradient_norm, cpu.log.steps[0].gradient_norm,
              1e-5 * cpu.log.steps[0].gradient_norm);
}

// With running statistics a stem has a gradient through other operations than in training.
TEST_F(CudaTrain, AStemsGradientWithRunningStatisticsFollowsTheCpu) {
  const auto gradients = [](Device device) {
    constexpr std::int64_t kBoxes = 5, kVoxels = 9;
    const Registry registry = make_registry();
    Context context(registry, device);
    Build build{device, DType::kF32, 3};
    Conv conv(build, {3, 1, 6, kVoxels, 3, 2, 1});
    BatchNorm norm(build, 6);
    const Tensor input = allocate_tensor(device, {kBoxes, 1, kVoxels, kVoxels, kVoxels}, DType::kF32);
    Numbers x(static_cast<std::size_t>(input.count()));
    const Rng rng(9, Purpose::kTest);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = rng.normal(i);
    from_host(x, input, context.stream);
    Tape tape(context);
    Pass pass{context, &tape};
    const Var y = norm.forward_stem(pass, conv, constant(input), cubic_window(3, 2, 1));
    tape.backward(reduce_axes(pass, mul(pass, y, y), AxisReduction::kMean, {}));
    std::vector<Numbers> found;
    for (const Module* module : std::initializer_list<const Module*>{&conv, &norm})
      for (const Parameter& p : module->parameters()) found.push_back(to_host(p.grad(), context.stream));
    return found;
  };
  const std::vector<Numbers> cpu = gradients({}), gpu = gradients(kGpu);
  ASSERT_EQ(cpu.size(), 3u);
  for (std::size_t p = 0; p < cpu.size(); ++p)
    for (std::size_t i = 0; i < cpu[p].size(); ++i) {
      EXPECT_NEAR(gpu[p][i], cpu[p][i], 1e-5) << p << " " << i;
      EXPECT_NE(cpu[p][i], 0) << p << " " << i;
    }
}

// The sums differ in their order, so that an activation may be rounded the other way: the agreement is not as
// close as in fp32.
TEST_F(CudaTrain, FollowsTheCpuInEveryPrecision) {
  for (const Precision precision : {Precision::kTf32, Precision::kBf16}) {
    const RunSetup setup{.graph = false, .epochs = 1, .precision = precision};
    const Outcome cpu = train({}, setup), gpu = train(kGpu, setup);
    const double close = precision == Precision::kTf32 ? 1e-4 : 1e-3;
    for (std::size_t i = 0; i < cpu.log.steps.size(); ++i) {
      EXPECT_NEAR(gpu.log.steps[i].loss, cpu.log.steps[i].loss, 10 * close * cpu.log.steps[i].loss) << i;
      EXPECT_NEAR(gpu.log.steps[i].gradient_norm, cpu.log.steps[i].gradient_norm,
                  30 * close * cpu.log.steps[i].gradient_norm)
          << i;
    }
    EXPECT_NEAR(gpu.log.steps[0].loss, cpu.log.steps[0].loss, close * cpu.log.steps[0].loss);
    EXPECT_NE(gpu.log.steps[0].loss, train(kGpu, {.epochs = 1}).log.steps[0].loss) << name_of(precision);
    for (const char* op : {"conv_fprop", "conv_dgrad", "conv_wgrad", "linear_fprop", "linear_dgrad",
                           "linear_wgrad", "conv_inference"}) {
      EXPECT_TRUE(std::any_of(gpu.texts.begin(), gpu.texts.end(), [&](const std::string& text) {
        return text.starts_with(op) && text.find(name_of(precision)) != std::string::npos;
      })) << op;
    }
  }
}

// The copies that the optimisers wrote, in graphs and queued, are the roundings of the weights.
TEST_F(CudaTrain, Bf16CopiesAreWhatTheWeightsRoundTo) {
  for (const std::string optimizer : {"adam", "sgd"}) {
    const RunSetup setup{.graph = true, .epochs = 1, .precision = Precision::kBf16, .optimizer = optimizer};
    const Outcome replayed = train(kGpu, setup);
    RunSetup one_by_one = setup;
    one_by_one.graph = false;
    const Outcome queued = train(kGpu, one_by_one);
    expect_same_bits(replayed, queued);
    ASSERT_EQ(replayed.bf16_copies.size(), 2u);  // of "second" and "last": the first layer computes in fp32
    for (const auto& [name, copy] : replayed.bf16_copies) {
      const Numbers& weight = replayed.state.at(name);
      ASSERT_EQ(copy.size(), weight.size());
      for (std::size_t i = 0; i < copy.size(); ++i) {
        EXPECT_EQ(copy[i], copy[i] == 0 ? 0 : round_to_bf16(weight[i])) << name << " " << i;  // dead taps: 0
      }
      EXPECT_GT(std::count_if(copy.begin(), copy.end(), [](double x) { return x != 0; }), 0) << name;
    }
    EXPECT_EQ(queued.bf16_copies, replayed.bf16_copies);
    for (const char* op : {"conv_fprop", "conv_dgrad", "linear_fprop", "linear_dgrad"}) {
      EXPECT_TRUE(std::any_of(queued.texts.begin(), queued.texts.end(), [&](const std::string& text) {
        return text.starts_with(op) && text.find("weights=bf16") != std::string::npos;
      })) << op;
    }
  }
}

// The forms that are packed after every update, in graphs and queued, are the roundings of the weights.
TEST_F(CudaTrain, PackedWeightsAreWhatTheWeightsRoundTo) {
  if (!backend_of(kGpu.kind).has_wgmma())
    GTEST_SKIP() << "this GPU has no wgmma, whose kernels read packed weights";
  RunSetup setup{.graph = true, .epochs = 1, .precision = Precision::kTf32, .optimizer = "sgd"};
  const Outcome replayed = train(kGpu, setup);
  setup.graph = false;
  const Outcome queued = train(kGpu, setup);
  expect_same_bits(replayed, queued);
  ASSERT_EQ(replayed.packed.size(), 1u);
  const Numbers& packed = replayed.packed.at("second.weight");
  const Numbers& weight = replayed.state.at("second.weight");  // [5, 6, 27]
  constexpr std::size_t kTaps = 27, kIn = 6, kOut = 5, kPitch = 8;
  ASSERT_EQ(packed.size(), kTaps * (kIn + kOut) * kPitch);
  for (std::size_t t = 0; t < kTaps; ++t)
    for (std::size_t c = 0; c < kIn; ++c)
      for (std::size_t k = 0; k < kOut; ++k) {
        const double rounded = round_to_tf32(weight[(k * kIn + c) * kTaps + t]);
        EXPECT_EQ(packed[(t * kIn + c) * kPitch + k], rounded);
        EXPECT_EQ(packed[kTaps * kIn * kPitch + (t * kOut + k) * kPitch + c], rounded);
      }
  EXPECT_EQ(queued.packed, replayed.packed);
  for (const char* op : {"conv_fprop", "conv_dgrad", "conv_inference"}) {
    EXPECT_TRUE(std::any_of(queued.texts.begin(), queued.texts.end(), [&](const std::string& text) {
      return text.starts_with(op) && text.find("weights=packed") != std::string::npos;
    })) << op;
  }
}

// Weights that come from a file: their bf16 copies and packed forms, of which the network has those of other numbers,
// are made before the first step.
TEST_F(CudaTrain, AResumedRunGivesTheBitsOfTheUninterruptedOne) {
  for (const Precision precision : {Precision::kF32, Precision::kTf32, Precision::kBf16}) {
    const Outcome whole = train(kGpu, {.epochs = 2, .precision = precision});
    const Outcome half = train(kGpu, {.epochs = 1, .precision = precision});
    const auto steps = static_cast<std::int64_t>(half.log.steps.size());
    const Outcome resumed = train(kGpu, {.epochs = 2,
                                         .precision = precision,
                                         .from = steps,
                                         .after = &half,
                                         .used = precision != Precision::kF32});
    EXPECT_EQ(resumed.state, whole.state) << name_of(precision);
    EXPECT_EQ(resumed.bf16_copies, whole.bf16_copies) << name_of(precision);
    EXPECT_EQ(resumed.packed, whole.packed) << name_of(precision);
    EXPECT_EQ(resumed.bf16_copies.empty(), precision != Precision::kBf16);
  }
}

// The message with which training ends.
std::string failure_of(const RunSetup& setup) {
  try {
    train(kGpu, setup);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_F(CudaTrain, ANumberThatIsNotFiniteStopsTrainingWithAWayToFindIt) {
  const auto rate = [](std::int64_t step) { return step < 5 ? 0.01 : 1e30; };
  const std::string replayed = failure_of({.graph = true, .epochs = 5, .rate = rate}),
                    queued = failure_of({.graph = false, .epochs = 5, .rate = rate});
  EXPECT_NE(replayed.find("train.graph=off"), std::string::npos) << replayed;
  EXPECT_NE(queued.find("The first op with a result that is not finite is"), std::string::npos) << queued;
}

// The last batch of the first epoch is smaller, so it is queued while the step before it, which is replayed and not
// finite, may be under way. It reads the parameters that that step has updated.
TEST_F(CudaTrain, AStepThatIsNotFiniteIsNotTakenForTheNextOne) {
  const auto rate = [](std::int64_t step) { return step < 2 ? 0.01 : 1e30; };
  const std::string message = failure_of({.graph = true, .drop_last = false, .rate = rate});
  EXPECT_TRUE(message.starts_with("training stopped at step 3 of epoch 0: ")) << message;
  EXPECT_NE(message.find("train.graph=off"), std::string::npos) << message;
}

}  // namespace
}  // namespace umbra

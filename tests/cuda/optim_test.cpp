// Optimiser steps, clipping and dropout with CUDA kernels: bit-identical to the CPU, also when replayed as a
// graph.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/grad/functions.h"
#include "engine/ops/elementwise/dropout.h"
#include "engine/ops/optim/adam.h"
#include "engine/ops/optim/sgd.h"
#include "engine/optim/optimizer.h"
#include "engine/runtime/graph.h"
#include "tests/cuda/where.h"

namespace umbra {
namespace {

constexpr Device kGpu{Device::Kind::kCuda, 0};
using Numbers = std::vector<double>;

struct CudaOptim : testing::Test {
  void SetUp() override {
    if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
    cuda_test::set_schedule(0);
    gpu = std::make_unique<Context>(registry, kGpu);
  }

  Tensor on(Device device, const Numbers& values, DType dtype = DType::kF32) {
    const Tensor tensor = allocate_tensor(device, {static_cast<std::int64_t>(values.size())}, dtype);
    from_host(values, tensor, device.kind == Device::Kind::kCpu ? cpu.stream : gpu->stream);
    return tensor;
  }
  static Numbers draw(std::size_t count, std::uint64_t stream) {
    const Rng rng(2018, Purpose::kTest, stream);
    Numbers values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = static_cast<double>(static_cast<float>(rng.normal(i)));
    return values;
  }
  /// The rungs of an op for a GPU, the naive one first.
  std::vector<std::string> rungs(std::string_view op) const {
    std::vector<std::string> found;
    for (const Ladder& ladder : registry.ladders()) {
      for (const Kernel& kernel : ladder.kernels) {
        if (ladder.op == op && kernel.device == Device::Kind::kCuda) found.emplace_back(kernel.rung);
      }
    }
    return found;
  }

  Registry registry = make_registry();
  Context cpu{registry, {}};
  std::unique_ptr<Context> gpu;
};

float as_float(double x) {
  return static_cast<float>(x);
}

// The formula with the fused products of the rung cpu_1_simd, whether or not this CPU has fused operations.
TEST_F(CudaOptim, AdamHasTheBitsOfTheFormula) {
  constexpr std::size_t kCount = 4099;
  constexpr double kLr = 1e-2, kBc1 = 0.271, kBc2 = 0.002997001;
  const Numbers p = draw(kCount, 1), g = draw(kCount, 2), m = draw(kCount, 3);
  Numbers v = draw(kCount, 4);
  for (double& value : v) value = static_cast<double>(as_float(value * value));
  for (const double decay : {0.0, 0.1}) {
    Numbers want_p(kCount), want_m(kCount), want_v(kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      const float gradient = std::fma(as_float(decay), as_float(p[i]), as_float(g[i]));
      const float first = std::fma(as_float(1 - 0.9), gradient, as_float(m[i]) * 0.9f);
      const float second = std::fma(as_float(1 - 0.999) * gradient, gradient, as_float(v[i]) * 0.999f);
      const float below = std::sqrt(second) / as_float(std::sqrt(kBc2)) + 1e-8f;
      want_p[i] = static_cast<double>(as_float(p[i]) + as_float(-(kLr / kBc1)) * first / below);
      want_m[i] = static_cast<double>(first);
      want_v[i] = static_cast<double>(second);
    }
    for (const std::string& rung : rungs("adam_step")) {
      registry.prefer("adam_step", rung);
      const Tensor tp = on(kGpu, p), tm = on(kGpu, m), tv = on(kGpu, v);
      call(*gpu, AdamStep(DType::kF32, {{kCount}}, {0.9, 0.999, 1e-8, decay, false}),
           {tp, on(kGpu, g), tm, tv, Tensor(), on(kGpu, {-(kLr / kBc1), std::sqrt(kBc2), 1}, DType::kF64)});
      EXPECT_EQ(to_host(tp, gpu->stream), want_p) << rung;
      EXPECT_EQ(to_host(tm, gpu->stream), want_m) << rung;
      EXPECT_EQ(to_host(tv, gpu->stream), want_v) << rung;
    }
  }
}

TEST_F(CudaOptim, SgdHasTheBitsOfTheFormula) {
  constexpr std::size_t kCount = 4099;
  const Numbers p = draw(kCount, 1), g = draw(kCount, 2), v = draw(kCount, 3);
  for (const SgdRule& rule : {SgdRule{0.9, 0.1}, SgdRule{0.9, 0.1, true}, SgdRule{0.9, 0.1, false, true}}) {
    const double share = rule.dampened ? 0.7 : 1;
    Numbers want_p(kCount), want_v(kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      const float gradient = std::fma(0.1f, as_float(p[i]), as_float(g[i]));
      const float velocity = std::fma(as_float(share), gradient, as_float(v[i]) * 0.9f);
      const float step = rule.nesterov ? std::fma(0.9f, velocity, gradient) : velocity;
      want_p[i] = static_cast<double>(std::fma(-0.01f, step, as_float(p[i])));
      want_v[i] = static_cast<double>(velocity);
    }
    const Numbers scalars = rule.dampened ? Numbers{0.01, share} : Numbers{0.01};
    for (const std::string& rung : rungs("sgd_step")) {
      registry.prefer("sgd_step", rung);
      const Tensor tp = on(kGpu, p), tv = on(kGpu, v);
      const SgdStep op(DType::kF32, {{kCount}}, rule);
      call(*gpu, op, {tp, on(kGpu, g), tv, Tensor(), on(kGpu, scalars, DType::kF64)});
      EXPECT_EQ(to_host(tp, gpu->stream), want_p) << rung << op;
      EXPECT_EQ(to_host(tv, gpu->stream), want_v) << rung << op;
    }
  }
}

TEST_F(CudaOptim, DropoutHasTheMaskOfTheCpu) {
  constexpr std::int64_t kCount = 4099;
  const Numbers x = draw(kCount, 1);
  for (const double p : {0.0, 1e-9, 0.3, 0.7499999, 1.0}) {
    const Dropout op(DType::kF32, kCount, p, 0x123456789ABCDEFu, 3);
    const Numbers step{0x5000000};
    const Tensor want = on({}, x);
    call(cpu, op, {on({}, x), on({}, step, DType::kI64), want});
    for (const std::string& rung : rungs("dropout")) {
      registry.prefer("dropout", rung);
      const Tensor got = on(kGpu, x);
      call(*gpu, op, {on(kGpu, x), on(kGpu, step, DType::kI64), got});
      EXPECT_EQ(to_host(got, gpu->stream), to_host(want, cpu.stream)) << rung << " " << p;
    }
  }
}

TEST_F(CudaOptim, NormsThatAreNotFiniteClipNothing) {
  for (const double bad : {std::numeric_limits<double>::infinity(), std::nan(""), 12.0}) {
    std::vector<Parameter> parameters;
    for (const Numbers& g : {Numbers{3, 4}, Numbers{0, bad, 0}}) {
      Var var = constant(on(kGpu, g));
      var->grad = on(kGpu, g);
      parameters.push_back({"p", var});
    }
    const double norm = to_host(gradient_norm(*gpu, parameters, 1.0), gpu->stream)[0];
    EXPECT_EQ(std::isfinite(norm), std::isfinite(bad));
    const double first = to_host(parameters[0].grad(), gpu->stream)[0];
    EXPECT_EQ(first, std::isfinite(bad) ? static_cast<double>(3 * as_float(1 / (13 + 1e-6))) : 3) << bad;
  }
}

// Dropout, clipping and a step captured once, launched three times with other numbers in the same memory. The
// arena is warmed by a step of another optimiser, so that a first step is captured.
TEST_F(CudaOptim, AReplayedUpdateReadsItsNumbersAnew) {
  const Numbers start = draw(1000, 1), drawn = draw(1000, 2);
  const auto run = [&](bool dampened, bool replayed) {
    Var parameter = constant(on(kGpu, start));
    const std::vector<Parameter> parameters{{"p", parameter}};
    const auto make = [&] {
      return dampened ? make_sgd(parameters, {.momentum = 0.9, .dampening = 0.5}) : make_adam(parameters, {});
    };
    auto optimizer = make();
    const Tensor scalars = on(kGpu, Numbers(dampened ? 2 : 3), DType::kF64);
    const Tensor number = on(kGpu, {0}, DType::kI64);
    const Var gradient = constant(on(kGpu, drawn));
    const auto work = [&] {
      Pass pass{*gpu, nullptr, true, Rng(5, Purpose::kDropout), number};
      parameter->grad = dropout(pass, gradient, 0.5)->value;
      gradient_norm(*gpu, parameters, 3);
      optimizer->apply(*gpu, scalars);
    };
    std::unique_ptr<Graph> graph;
    std::vector<Numbers> states;
    for (int step = -1; step < 3; ++step) {
      if (step == 0) optimizer = make();
      from_host(optimizer->advance(0.1 / (step + 2)), scalars, gpu->stream);
      from_host(Numbers{static_cast<double>(step + 1)}, number, gpu->stream);
      if (replayed && step == 0) graph = std::make_unique<Graph>(gpu->stream, work);
      if (graph != nullptr) {
        graph->launch(gpu->stream);
      } else {
        work();
      }
      states.push_back(to_host(parameter->value, gpu->stream));
    }
    EXPECT_EQ(optimizer->steps(), 3);
    return states;
  };
  for (const bool dampened : {false, true}) {
    const std::vector<Numbers> queued = run(dampened, false);
    EXPECT_EQ(run(dampened, true), queued);
    EXPECT_NE(queued[2], queued[3]);
  }
}

}  // namespace
}  // namespace umbra

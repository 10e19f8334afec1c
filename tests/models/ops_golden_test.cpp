// Single operations and optimisers against PyTorch (tests/golden/README.md), through the tape and the rungs
// that ship.
#include "engine/optim/optimizer.h"
#include "tests/fixtures/op_goldens.h"

namespace umbra {
namespace {

using Numbers = std::vector<double>;

struct OpsGolden : testing::Test, golden::OpGoldens {
  OpsGolden() : OpGoldens("ops.safetensors") {}
};

TEST_F(OpsGolden, Convolution) {
  const std::vector<std::string> names = cases("conv");
  EXPECT_EQ(names.size(), 16U);
  for (const std::string& name : names) {
    const std::string base = "conv/" + name + "/";
    const std::vector<std::int64_t> g = integers(base + "geometry");
    Pass pass{context, &tape, true};
    const Var x = var(base + "input");
    const auto triple = [&](std::size_t at) { return Triple{g[at], g[at + 1], g[at + 2]}; };
    ConvGeometry geometry{1, 1, 1, triple(3), triple(6), triple(9), triple(12)};
    const Var w = var(base + "weight", conv_weight_layouts(geometry).value);
    Var y = conv(pass, x, w, triple(9), triple(12));
    const bool biased = has(base + "bias");
    const Var bias = biased ? var(base + "bias") : nullptr;
    if (biased) y = add_bias(pass, y, bias);
    expect(y->value, base + "output");
    backward(pass, y, base + "grad_output");
    expect(x->grad, base + "grad_input");
    expect(w->grad, base + "grad_weight");
    if (biased) expect(bias->grad, base + "grad_bias");
  }
}

TEST_F(OpsGolden, MaxPool) {
  const std::vector<std::string> names = cases("maxpool");
  EXPECT_GT(names.size(), 3U);
  for (const std::string& name : names) {
    const std::string base = "maxpool/" + name + "/";
    const std::vector<std::int64_t> g = integers(base + "geometry");
    Window window;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      window.kernel[axis] = g[5 + axis];
      window.stride[axis] = g[8 + axis];
      window.padding[axis] = g[11 + axis];
    }
    Pass pass{context, &tape, true};
    const Var x = var(base + "input");
    const Var y = max_pool(pass, x, window);
    expect(y->value, base + "output");
    backward(pass, y, base + "grad_output");
    expect(x->grad, base + "grad_input");
  }
}

TEST_F(OpsGolden, BatchNorm) {
  for (const std::string name : {"3d", "1d", "offset"}) {
    for (const bool training : {true, false}) {
      const std::string base = "batchnorm/" + name + "/";
      const Var x = var(base + "input"), gamma = var(base + "weight"), beta = var(base + "bias");
      BatchNormState state;
      state.running_mean = var(base + "running_mean_before")->value;
      state.running_var = var(base + "running_var_before")->value;
      Pass pass{context, &tape, training};
      const Var y = batch_norm(pass, x, gamma, beta, state);
      const std::string results = base + (training ? "" : "eval/");
      expect(y->value, results + "output");
      backward(pass, y, base + "grad_output");
      expect(x->grad, results + "grad_input");
      expect(gamma->grad, results + "grad_weight");
      expect(beta->grad, results + "grad_bias");
      if (!training) continue;
      expect(state.running_mean, base + "running_mean_after");
      expect(state.running_var, base + "running_var_after");
    }
  }
}

TEST_F(OpsGolden, SoftmaxCrossEntropy) {
  for (const std::string name : {"plain", "extreme"}) {
    const std::string base = "softmax_cross_entropy/" + name + "/";
    const Var z = var(base + "input");
    const Tensor labels = tensor(base + "labels", DType::kI32);
    Pass pass{context, &tape, true};
    const Var loss = softmax_cross_entropy(pass, z, labels);
    expect(loss->value, base + "output");
    tape.backward(loss);
    expect(z->grad, base + "grad_input");
  }
}

// Five steps of every optimiser on one vector: element by element within a few ulp of the oracle.
TEST(OptimizerGolden, FiveStepsOfEach) {
  const SafeTensors file = golden::read("optimizers.safetensors");
  const Registry registry = make_registry();
  Context context(registry, {});
  struct Case {
    std::string key;
    std::function<std::unique_ptr<Optimizer>(std::vector<Parameter>)> make;
  };
  const auto adam = [](double decay, bool decoupled) {
    return [=](std::vector<Parameter> p) {
      return make_adam(std::move(p), {0.9, 0.999, 1e-8, decay, decoupled});
    };
  };
  const auto sgd = [](double momentum, double decay, double dampening = 0, bool nesterov = false) {
    return [=](std::vector<Parameter> p) {
      return make_sgd(std::move(p), {momentum, decay, dampening, nesterov});
    };
  };
  const Numbers start = golden::numbers(file, "start"), gradients = golden::numbers(file, "gradients");
  for (const Case& c :
       {Case{"adam", adam(0, false)}, Case{"adam_l2", adam(0.01, false)}, Case{"adamw", adam(0.01, true)},
        Case{"sgd", sgd(0, 0)}, Case{"sgd_momentum", sgd(0.9, 0)}, Case{"sgd_momentum_l2", sgd(0.9, 0.01)},
        Case{"sgd_nesterov", sgd(0.9, 0, 0, true)}, Case{"sgd_nesterov_l2", sgd(0.9, 0.01, 0, true)},
        Case{"sgd_dampening", sgd(0.9, 0, 0.3)}, Case{"sgd_dampening_l2", sgd(0.9, 0.01, 0.9)}}) {
    const Tensor p = allocate_tensor({}, {24}, DType::kF32);
    from_host(start, p, context.stream);
    Var var = constant(p);
    var->needs_grad = true;
    const auto optimizer = c.make({{"p", var}});
    const Numbers f32 = golden::numbers(file, c.key), f64 = golden::numbers(file, "f64/" + c.key);
    for (std::size_t step = 0; step < 5; ++step) {
      var->grad = context.temporary({24}, DType::kF32);
      from_host(std::span(gradients).subspan(24 * step, 24), var->grad, context.stream);
      optimizer->step(context, 0.01);
      const Numbers got = to_host(p, context.stream);
      for (std::size_t i = 0; i < 24; ++i) {
        const double want = f64[24 * step + i];
        // PyTorch's own f32 error at this element, or 4 ulp of the terms of the sum, whichever is larger.
        const double tolerance = 4 * std::abs(f32[24 * step + i] - want) +
                                 4 * 0x1p-23 * std::max({std::abs(want), std::abs(start[i]), 0.05});
        EXPECT_TRUE(std::abs(got[i] - want) <= tolerance)
            << c.key << " step " << step << " element " << i << ": " << got[i] << ", expected " << want;
      }
    }
  }
}

}  // namespace
}  // namespace umbra

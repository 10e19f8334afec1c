// Single operations and optimisers against PyTorch (tests/golden/README.md), through the tape and the rungs
// that ship.
#include "engine/grad/functions.h"
#include "engine/optim/optimizer.h"
#include "tests/fixtures/golden.h"

namespace umbra {
namespace {

using Numbers = std::vector<double>;

struct OpsGolden : testing::Test {
  SafeTensors file = golden::read("ops.safetensors");
  Registry registry = make_registry();
  Context context{registry, {}};
  Tape tape{context};

  /// The names between "prefix/" and the next slash.
  std::vector<std::string> cases(const std::string& prefix) {
    std::vector<std::string> found;
    for (const NamedTensor& t : file.tensors) {
      if (!t.name.starts_with(prefix + "/")) continue;
      const std::string rest = t.name.substr(prefix.size() + 1);
      const std::string name = rest.substr(0, rest.find('/'));
      if (std::find(found.begin(), found.end(), name) == found.end()) found.push_back(name);
    }
    return found;
  }
  Var var(const std::string& key, bool needs_grad = true, const Layout& layout = {}) {
    const Tensor stored = file.at(key);
    const Tensor own = allocate_tensor({}, stored.shape(), DType::kF32, layout);
    from_host(to_host(stored, context.stream), own, context.stream);
    Var v = constant(own);
    v->needs_grad = needs_grad;
    return v;
  }
  /// Backpropagates `grad_output` through a loss that is their inner product.
  void backward(Pass& pass, const Var& output, const std::string& key) {
    struct InnerProduct final : Function {
      Tensor with;
      std::string_view name() const override { return "inner_product"; }
      Tensor forward(Pass& p, std::span<const Tensor>, Saved&) const override {
        const Tensor zero = p.context.temporary({1}, DType::kF32);
        from_host(Numbers{0}, zero, p.context.stream);
        return zero;
      }
      std::vector<Tensor> backward(Context&, const Tensor&, std::span<const Tensor>, const Saved&,
                                   const std::vector<bool>&) const override {
        return {with};
      }
    };
    auto product = std::make_shared<InnerProduct>();
    const Tensor stored = file.at(key).reshaped(output->value.shape());
    product->with = allocate_tensor({}, stored.shape(), stored.dtype(), output->value.layout());
    assign(product->with, stored, context.stream);
    tape.backward(apply(pass, product, {output}));
  }
  void expect(const Tensor& got, const std::string& key) {
    golden::expect_near(to_host(got, context.stream), golden::numbers(file, key),
                        golden::numbers(file, "f64/" + key), key, 20);
  }
};

TEST_F(OpsGolden, Convolution) {
  const std::vector<std::string> names = cases("conv");
  EXPECT_EQ(names.size(), 16U);
  for (const std::string& name : names) {
    const std::string base = "conv/" + name + "/";
    const Numbers g = golden::numbers(file, base + "geometry");
    Pass pass{context, &tape, true};
    const Var x = var(base + "input");
    const auto triple = [&](std::size_t at) {
      return Triple{static_cast<std::int64_t>(g[at]), static_cast<std::int64_t>(g[at + 1]),
                    static_cast<std::int64_t>(g[at + 2])};
    };
    ConvGeometry geometry{1, 1, 1, triple(3), triple(6), triple(9), triple(12)};
    const Var w = var(base + "weight", true, conv_weight_layouts(geometry).value);
    Var y = conv(pass, x, w, triple(9), triple(12));
    const bool biased = golden::has(file, base + "bias");
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
    const Numbers g = golden::numbers(file, base + "geometry");
    Window window;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      window.kernel[axis] = static_cast<std::int64_t>(g[5 + axis]);
      window.stride[axis] = static_cast<std::int64_t>(g[8 + axis]);
      window.padding[axis] = static_cast<std::int64_t>(g[11 + axis]);
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
      expect(y->value, base + (training ? "output" : "eval/output"));
      if (!training) {
        EXPECT_THROW(backward(pass, y, base + "grad_output"), Error);
        tape = Tape(context);  // the node that has no gradient is still on the old one
        continue;
      }
      backward(pass, y, base + "grad_output");
      expect(x->grad, base + "grad_input");
      expect(gamma->grad, base + "grad_weight");
      expect(beta->grad, base + "grad_bias");
      expect(state.running_mean, base + "running_mean_after");
      expect(state.running_var, base + "running_var_after");
    }
  }
}

TEST_F(OpsGolden, SoftmaxCrossEntropy) {
  for (const std::string name : {"plain", "extreme"}) {
    const std::string base = "softmax_cross_entropy/" + name + "/";
    const Var z = var(base + "input");
    const Tensor labels = allocate_tensor({}, {6}, DType::kI32);
    from_host(golden::numbers(file, base + "labels"), labels, context.stream);
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
  const auto sgd = [](double momentum, double decay) {
    return [=](std::vector<Parameter> p) { return make_sgd(std::move(p), {momentum, decay}); };
  };
  const Numbers start = golden::numbers(file, "start"), gradients = golden::numbers(file, "gradients");
  for (const Case& c :
       {Case{"adam", adam(0, false)}, Case{"adam_l2", adam(0.01, false)}, Case{"adamw", adam(0.01, true)},
        Case{"sgd", sgd(0, 0)}, Case{"sgd_momentum", sgd(0.9, 0)}, Case{"sgd_momentum_l2", sgd(0.9, 0.01)}}) {
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
        // PyTorch's own f32 error at this element, or 4 ulp of what entered the sum, whichever is larger.
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

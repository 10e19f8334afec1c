// The whole network against PyTorch (tests/golden/README.md): every activation, every gradient, the
// statistics and the parameters after one and three Adam steps; in f32 with the rungs that ship, and at C = 4
// in f64 with the references.
#include "engine/optim/optimizer.h"
#include "models/um_resnet.h"
#include "tests/models/golden.h"

namespace umbra {
namespace {

using golden::u;
using Numbers = std::vector<double>;

// The goldens give every box its own sigma: a loss of the test's own, written as a user would write one.
class BoxChi2 final : public Function {
 public:
  BoxChi2(Numbers observed, Numbers sigma) : observed_(std::move(observed)), sigma_(std::move(sigma)) {}
  std::string_view name() const override { return "box_chi2"; }
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    const Numbers p = to_host(inputs[0], pass.context.stream);
    const auto boxes = static_cast<double>(inputs[0].shape()[0]);
    Numbers slope(p.size());
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double d = (p[i] - observed_[i]) / sigma_[i];
      sum += d * d / boxes;
      slope[i] = 2 * d / sigma_[i] / boxes;
    }
    saved = {pass.context.temporary(inputs[0].shape(), inputs[0].dtype())};
    from_host(slope, saved[0], pass.context.stream);
    const Tensor loss = pass.context.temporary({1}, inputs[0].dtype());
    from_host(Numbers{sum}, loss, pass.context.stream);
    return loss;
  }
  std::vector<Tensor> backward(Context&, const Tensor&, std::span<const Tensor>, const Saved& saved,
                               const std::vector<bool>&) const override {
    return {saved[0]};
  }

 private:
  Numbers observed_, sigma_;
};

// What one pass produced, under the goldens' keys.
using Found = std::map<std::string, Numbers>;

class Capture {
 public:
  explicit Capture(Context& context) : context_(context) {
    context.observer = [this](const Op& op, const Kernel&, std::span<const Tensor> tensors, double) {
      const std::string name(op.name());
      static const std::map<std::string, std::size_t> kWanted = {{"conv_fprop", 2},
                                                                 {"batch_norm_forward", 5},
                                                                 {"batch_norm_relu_forward", 6},
                                                                 {"linear_fprop", 3},
                                                                 {"conv_wgrad", 1},
                                                                 {"batch_norm_backward", 0},
                                                                 {"linear_wgrad", 1},
                                                                 {"stem3d_forward", 6},
                                                                 {"stem3d_backward", 0},
                                                                 {"batch_norm_relu_backward", 0}};
      const auto wanted = kWanted.find(name);
      if (wanted != kWanted.end()) seen_[name].push_back(to_host(tensors[wanted->second], context_.stream));
    };
  }
  ~Capture() { context_.observer = nullptr; }

  /// The i-th activation that `forward` wrote and its gradient, which `backward` read. Backward visits the
  /// layers in reverse.
  void store(Found& found, const std::string& layer, const char* forward, const char* backward,
             std::size_t i) const {
    found["act/" + layer] = seen_.at(forward).at(i);
    const auto& grads = seen_.at(backward);
    found["act_grad/" + layer] = grads.at(grads.size() - 1 - i);
  }

 private:
  Context& context_;
  std::map<std::string, std::vector<Numbers>> seen_;
};

/// A loss whose gradient is given.
class GivenGradient final : public Function {
 public:
  explicit GivenGradient(Numbers gradient) : gradient_(std::move(gradient)) {}
  std::string_view name() const override { return "given_gradient"; }
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    saved = {pass.context.temporary_like(inputs[0])};
    from_host(gradient_, saved[0], pass.context.stream);
    const Tensor loss = pass.context.temporary({1}, inputs[0].dtype());
    from_host(Numbers{0}, loss, pass.context.stream);
    return loss;
  }
  std::vector<Tensor> backward(Context&, const Tensor&, std::span<const Tensor>, const Saved& saved,
                               const std::vector<bool>&) const override {
    return {saved[0]};
  }

 private:
  Numbers gradient_;
};

// The network runs its stem and its batch norms with ReLU as single operations. What stands between their
// parts is seen here: the same layers from single ones, with the network's own input and gradient at their
// ends.
class Unfused {
 public:
  Unfused(Context& context, const Module& network, Found& found) : context_(context), found_(found) {
    for (const Parameter& p : network.parameters()) {
      values_[p.name] = constant(p.value());
      values_[p.name]->needs_grad = true;
    }
  }

  void stem(const Tensor& input) {
    Tape tape(context_);
    Pass pass{context_, &tape, true};
    const Capture capture(context_);
    const Var y = norm(pass, "bn1", conv(pass, constant(input), at("conv1.weight"), {2, 2, 2}, {3, 3, 3}));
    finish(pass, max_pool(pass, relu(pass, y), cubic_window(3, 2, 1)), "act_grad/pool");
    capture.store(found_, "conv1", "conv_fprop", "conv_wgrad", 0);
    capture.store(found_, "bn1", "batch_norm_forward", "batch_norm_backward", 0);
  }

  void head(std::int64_t boxes, DType dtype) {
    const Numbers& features = found_.at("act/layer3.1");
    const Tensor input =
        context_.temporary({boxes, static_cast<std::int64_t>(features.size()) / boxes}, dtype);
    from_host(features, input, context_.stream);
    Tape tape(context_);
    Pass pass{context_, &tape, true};
    const Capture capture(context_);
    Var y = constant(input);
    for (const std::string i : {"1", "2", "3"}) {
      y = norm(pass, "fcbn" + i, linear(pass, y, at("fc" + i + ".weight"), at("fc" + i + ".bias")));
      if (i != "3") y = relu(pass, y);
    }
    finish(pass, y, "act_grad/fcbn3");
    capture.store(found_, "fcbn1", "batch_norm_forward", "batch_norm_backward", 0);
    capture.store(found_, "fcbn2", "batch_norm_forward", "batch_norm_backward", 1);
  }

 private:
  const Var& at(const std::string& name) const { return values_.at(name); }
  Var norm(Pass& pass, const std::string& name, const Var& x) {
    BatchNormState state;  // running statistics of its own: the network's have moved already
    state.running_mean = context_.temporary(at(name + ".bias")->value.shape(), x->value.dtype());
    state.running_var = context_.temporary(at(name + ".bias")->value.shape(), x->value.dtype());
    for (const Tensor& t : {state.running_mean, state.running_var}) {
      from_host(Numbers(static_cast<std::size_t>(t.count()), 0.0), t, context_.stream);
    }
    return batch_norm(pass, x, at(name + ".weight"), at(name + ".bias"), state);
  }
  void finish(Pass& pass, const Var& y, const char* gradient) {
    const Var loss = apply(pass, std::make_shared<GivenGradient>(found_.at(gradient)), {y});
    pass.tape->backward(loss);
  }

  Context& context_;
  Found& found_;
  std::map<std::string, Var> values_;
};

Found run_network(std::int64_t channels, std::int64_t boxes, DType dtype) {
  const Registry registry = make_registry();
  Context context(registry, {});
  Build build{{}, dtype, 1};
  UmResNet network(build, {channels, 1, 25, 14, 0.0});
  golden::set_parameters(network);
  const Tensor input = allocate_tensor({}, {boxes, 1, 25, 25, 25}, dtype);
  golden::fill(input, [](std::size_t i) { return u(1, i) < 0.04 ? (150 + 450 * u(2, i)) / 300 : 0; });
  Numbers observed(static_cast<std::size_t>(boxes * 14)), sigma(observed.size());
  for (std::size_t i = 0; i < observed.size(); ++i) {
    observed[i] = static_cast<double>(static_cast<float>(0.5 + u(3, i)));
    sigma[i] = static_cast<double>(static_cast<float>(0.5 + u(4, i)));
  }
  const auto adam = make_adam(network.parameters(), {});
  Found found;
  for (int step = 0; step < 4; ++step) {
    Tape tape(context);
    Pass pass{context, &tape, true};
    const auto capture = step == 0 ? std::make_unique<Capture>(context) : nullptr;
    const Var loss =
        apply(pass, std::make_shared<BoxChi2>(observed, sigma), {network.forward(pass, constant(input))});
    found["loss"].push_back(to_host(loss->value, context.stream)[0]);
    if (step == 3) break;
    tape.backward(loss);
    if (step == 0) {
      capture->store(found, "pool", "stem3d_forward", "stem3d_backward", 0);
      for (std::size_t block = 0; block < 6; ++block) {
        capture->store(found, concat("layer", block / 2 + 1, ".", block % 2), "batch_norm_relu_forward",
                       "batch_norm_relu_backward", 2 * block + 1);
      }
      for (std::size_t i = 0; i < 3; ++i) {
        capture->store(found, concat("fc", i + 1), "linear_fprop", "linear_wgrad", i);
      }
      capture->store(found, "fcbn3", "batch_norm_forward", "batch_norm_backward",
                     3);  // behind the downsamplings'
      Unfused unfused(context, network, found);
      unfused.stem(input);
      unfused.head(boxes, dtype);
      for (const Parameter& p : network.parameters())
        found["grad/" + p.name] = to_host(p.grad(), context.stream);
      for (const NamedTensor& b : network.buffers())
        found["stats/" + b.name] = to_host(b.tensor, context.stream);
      Pass inference{context};
      found["eval_output"] = to_host(network.forward(inference, constant(input))->value, context.stream);
    }
    adam->step(context, 1e-3);
    if (step == 1) continue;
    for (const Parameter& p : network.parameters()) {
      found[concat("adam", step + 1, "/", p.name)] = to_host(p.value(), context.stream);
    }
  }
  return found;
}

bool excluded(const std::string& key) {
  return key.ends_with("fc1.bias") || key.ends_with("fc2.bias") || key.ends_with("fc3.bias") ||
         key.ends_with("num_batches_tracked");
}

Numbers every_13th(const Numbers& full) {
  Numbers thinned;
  for (std::size_t i = 0; i < full.size(); i += 13) thinned.push_back(full[i]);
  return thinned;
}

// Where the index rule of the C = 20 goldens samples a tensor of n elements.
std::vector<std::size_t> sample_places(std::size_t n, bool centre_taps) {
  std::vector<std::size_t> places;
  const Rng rng(2018, Purpose::kTest, 60);
  for (std::size_t m = 0; m < std::min<std::size_t>(n, 256); ++m) {
    if (n <= 256)
      places.push_back(m);
    else if (centre_taps && m % 2 == 1)
      places.push_back(27 * static_cast<std::size_t>(rng.below(m, n / 27)) + 13);
    else
      places.push_back(static_cast<std::size_t>(rng.below(m, n)));
  }
  return places;
}

Numbers summary(const Numbers& x) {
  const Rng rng(2018, Purpose::kTest, 50);
  Numbers s(10, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint32_t signs = rng.words(i)[0];
    s[0] += x[i];
    s[1] += x[i] * x[i];
    for (std::size_t j = 0; j < 8; ++j) s[2 + j] += (signs >> j & 1U) != 0 ? -x[i] : x[i];
  }
  s[1] = std::sqrt(s[1]);
  return s;
}

// Only the centre tap of these 3^3 kernels ever meets data.
bool dead_tap(const std::string& what, std::size_t flat) {
  const bool centre_only =
      what.find("layer3.1.conv") != std::string::npos || what.find("layer3.0.conv2") != std::string::npos;
  return centre_only && flat % 27 != 13;
}

// Adam divides by the gradient's own size: where a gradient is rounding noise the move is up to lr in any
// direction. Elements with |gradient| above 1e-4 of the largest must agree closely, the others within 2 lr
// per step (README of the goldens).
void expect_adam(const Numbers& got, const Numbers& f32, const Numbers& f64, const Numbers& gradient,
                 int steps, const std::vector<std::size_t>& places, const std::string& what) {
  double largest = 0, distance = 0, size = 0;
  for (double g : gradient) largest = std::max(largest, std::abs(g));
  const auto clear = [&](std::size_t i) { return std::abs(gradient[i]) > 1e-4 * largest; };
  for (std::size_t i = 0; i < f64.size(); ++i) {
    if (clear(i)) distance = std::max(distance, std::abs(f32[i] - f64[i]));
    size = std::max(size, std::abs(f64[i]));
  }
  for (std::size_t i = 0; i < f64.size(); ++i) {
    // No gradient, no first step; a unit that was switched off in the first step may wake up later, a dead
    // tap never.
    const bool still = gradient[i] == 0 && (steps == 1 || dead_tap(what, places[i]));
    const double tolerance = clear(i) ? 10 * distance + 8 * 0x1p-24 * size + 1e-7
                             : still  ? 0x1p-24 * size
                                      : 2e-3 * steps;
    ASSERT_TRUE(std::abs(got[i] - f64[i]) <= tolerance)
        << what << "[" << i << "] is " << got[i] << ", expected " << f64[i] << " +- " << tolerance
        << ", gradient " << gradient[i];
  }
}

TEST(UmResNetGolden, FullTensorsAtFourChannels) {
  const SafeTensors file = golden::read("um_resnet_c4.safetensors");
  const Found found = run_network(4, 4, DType::kF32);
  int compared = 0;
  for (const auto& [key, full] : found) {
    if (excluded(key)) continue;
    ++compared;
    // Long tensors are thinned, some of them in double only: everything is brought to the length of the
    // oracle.
    const Numbers f64 = golden::numbers(file, "f64/" + key);
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < full.size(); i += f64.size() == full.size() ? 1 : 13) places.push_back(i);
    const auto at_places = [&](const Numbers& x) {
      if (x.size() == f64.size()) return x;
      Numbers picked;
      for (std::size_t place : places) picked.push_back(x[place]);
      return picked;
    };
    const Numbers f32 = at_places(golden::numbers(file, key));
    if (key.starts_with("adam")) {
      const Numbers gradient = at_places(golden::numbers(file, "f64/grad/" + key.substr(6)));
      expect_adam(at_places(full), f32, f64, gradient, key[4] - '0', places, key);
    } else {
      golden::expect_near(at_places(full), f32, f64, key);
    }
  }
  EXPECT_EQ(compared,
            241);  // 30 activations and gradients, 57 x 3 for parameters, 38 statistics, output, loss
}

TEST(UmResNetGolden, ReferencesInDoubleEqualPyTorchInDouble) {
  const SafeTensors file = golden::read("um_resnet_c4.safetensors");
  const Found found = run_network(4, 4, DType::kF64);
  for (const auto& [key, full] : found) {
    if (excluded(key) || key.starts_with("adam3")) continue;
    const Numbers f64 = golden::numbers(file, "f64/" + key);
    const Numbers got = f64.size() == full.size() ? full : every_13th(full);
    double largest = 1e-300;
    for (double v : f64) largest = std::max(largest, std::abs(v));
    // PyTorch stores the running statistics' momentum and epsilon in double, as we do; 1e-10 leaves room for
    // the order of sums.
    const double tolerance = key.starts_with("adam") ? 1e-6
                             : key == "loss"         ? 1e-5 * largest
                                                     : 1e-10 * largest;
    for (std::size_t i = 0; i < f64.size(); ++i) {
      ASSERT_TRUE(std::abs(got[i] - f64[i]) <= tolerance)
          << key << "[" << i << "] is " << got[i] << ", expected " << f64[i];
    }
  }
}

TEST(UmResNetGolden, SummariesAndSamplesAtTwentyChannels) {
  const SafeTensors file = golden::read("um_resnet_c20.safetensors");
  const Found found = run_network(20, 8, DType::kF32);
  int compared = 0;
  for (const auto& [key, full] : found) {
    if (excluded(key)) continue;
    ++compared;
    if (!golden::has(file, "f64/" + key + "/summary")) {
      golden::expect_near(full, golden::numbers(file, key), golden::numbers(file, "f64/" + key), key);
      continue;
    }
    const bool weights =
        !key.starts_with("act") && key.find("conv") != std::string::npos && full.size() % 27 == 0;
    Numbers samples;
    const std::vector<std::size_t> places = sample_places(full.size(), weights);
    for (std::size_t place : places) samples.push_back(full[place]);
    const Numbers f32 = golden::numbers(file, key + "/samples"),
                  f64 = golden::numbers(file, "f64/" + key + "/samples");
    if (key.starts_with("adam")) {
      expect_adam(samples, f32, f64, golden::numbers(file, "f64/grad/" + key.substr(6) + "/samples"),
                  key[4] - '0', places, key);
      continue;
    }
    golden::expect_near(samples, f32, f64, key);
    // A projection of n elements carries sqrt(n) times the error of one: relative to the norm, with the
    // samples' own error.
    const Numbers s32 = golden::numbers(file, key + "/summary"),
                  s64 = golden::numbers(file, "f64/" + key + "/summary");
    const Numbers got = summary(full);
    double distance = 0;
    for (std::size_t i = 0; i < 10; ++i) distance = std::max(distance, std::abs(s32[i] - s64[i]));
    const double tolerance = 10 * distance + 1e-6 * s64[1];
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_TRUE(std::abs(got[i] - s64[i]) <= tolerance)
          << key << " summary " << i << ": " << got[i] << ", expected " << s64[i] << " +- " << tolerance;
    }
  }
  EXPECT_EQ(compared,
            241);  // 30 activations and gradients, 57 x 3 for parameters, 38 statistics, output, loss
}

}  // namespace
}  // namespace umbra

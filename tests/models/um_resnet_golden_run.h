// What the goldens' network does in umbra, on any device: every activation, every gradient, the statistics
// and the parameters after one and three Adam steps, under the goldens' keys (tests/golden/README.md).
#pragma once

#include <map>
#include <memory>

#include "engine/optim/optimizer.h"
#include "models/um_resnet.h"
#include "tests/fixtures/golden.h"

namespace umbra::golden {

using Numbers = std::vector<double>;

// The goldens give every box its own sigma: a loss of the test's own, written as a user would write one.
class BoxChi2 final : public Function {
 public:
  BoxChi2(Numbers observed, Numbers sigma) : observed_(std::move(observed)), sigma_(std::move(sigma)) {}
  std::string_view name() const override { return "box_chi2"; }
  Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const override {
    const Numbers p = to_host(inputs[0], pass.context.stream);
    const auto boxes = static_cast<double>(inputs[0].shape()[0]);
    Numbers gradient(p.size());
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double d = (p[i] - observed_[i]) / sigma_[i];
      sum += d * d / boxes;
      gradient[i] = 2 * d / sigma_[i] / boxes;
    }
    saved = {pass.context.temporary(inputs[0].shape(), inputs[0].dtype())};
    from_host(gradient, saved[0], pass.context.stream);
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
      // Batch norms with ReLU are counted apart from those without.
      const bool relu = op.text().find(" relu") != std::string::npos;
      const std::string name = concat(op.name(), relu ? " relu" : "");
      static const std::map<std::string, std::size_t> kWanted = {{"conv_fprop", 2},
                                                                 {"batch_norm_forward", 6},
                                                                 {"batch_norm_forward relu", 6},
                                                                 {"linear_fprop", 3},
                                                                 {"conv_wgrad", 1},
                                                                 {"batch_norm_backward", 0},
                                                                 {"linear_wgrad", 1},
                                                                 {"stem3d_forward", 6},
                                                                 {"stem3d_backward", 0},
                                                                 {"batch_norm_backward relu", 0}};
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

/// One pass, the statistics and three steps of Adam on `device`.
inline Found run_network(std::int64_t channels, std::int64_t boxes, DType dtype, Device device) {
  const Registry registry = make_registry();
  Context context(registry, device);
  Build build{device, dtype, 1};
  UmResNet network(build, {channels, 1, 25, 14, 0.0});
  set_parameters(network);
  const Tensor input = allocate_tensor(device, {boxes, 1, 25, 25, 25}, dtype);
  fill(input, [](std::size_t i) { return u(1, i) < 0.04 ? (150 + 450 * u(2, i)) / 300 : 0; });
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
        capture->store(found, concat("layer", block / 2 + 1, ".", block % 2), "batch_norm_forward relu",
                       "batch_norm_backward relu", 2 * block + 1);
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

}  // namespace umbra::golden

#include "engine/optim/optimizer.h"

#include "engine/grad/packed_weights.h"
#include "engine/ops/optim/adam.h"
#include "engine/ops/optim/gradient_norm.h"
#include "engine/ops/optim/sgd.h"

namespace umbra {
namespace {

Tensor zeros(Device device, const Shape& shape, DType dtype, const Layout& layout) {
  Tensor tensor = allocate_tensor(device, shape, dtype, layout);
  Stream stream(device);
  from_host(std::vector<double>(static_cast<std::size_t>(tensor.count()), 0.0),
            tensor.elements(0, tensor.count()), stream);
  return tensor;
}

// Moments of a parameter. The gradient of dead weights is always zero. Without weight decay they never change
// and have no moments; with weight decay they shrink as PyTorch's do, and have moments.
Tensor moment_of(const Parameter& p, double weight_decay) {
  const Tensor& value = p.value();
  return zeros(value.device(), value.shape(), value.dtype(),
               weight_decay == 0 ? p.var->grad_layout : value.layout());
}

// One call of an optimiser's op: its tensors, and its buffers in order.
struct StepCall {
  TensorList tensors;
  std::vector<Tensor> buffers;
};

// Adds the elements of a parameter that change: those with a gradient, which come first, and under weight
// decay the dead ones that follow, whose gradient is zero. `moments` may be undefined.
void add_moving_tensors(const Parameter& p, double weight_decay, std::initializer_list<Tensor> moments,
                        StepCall& step) {
  const Tensor& grad = p.grad();
  require(grad.layout() == p.var->grad_layout, "the gradient of ", p.name,
          " does not have the layout of its gradients");
  const Tensor& bf16_copy = p.var->bf16_copy;
  const auto add = [&](std::int64_t begin, std::int64_t n, bool absent) {
    const bool has_copy = !absent && bf16_copy.defined();
    step.tensors.push_back({n, absent, has_copy});
    step.buffers.insert(step.buffers.end(), {p.value().elements(begin, n), absent ? Tensor() : grad});
    for (const Tensor& moment : moments)
      step.buffers.push_back(moment.defined() ? moment.elements(begin, n) : moment);
    step.buffers.push_back(has_copy ? bf16_copy : Tensor());
  };
  add(0, grad.count(), false);
  const std::int64_t rest = p.value().count() - grad.count();
  if (weight_decay != 0 && rest != 0) add(grad.count(), rest, true);
}

class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<Parameter> parameters, const SgdOptions& o)
      : Optimizer(std::move(parameters)), options_(o) {
    if (o.momentum == 0) return;
    for (const Parameter& p : parameters_) velocity_.push_back(moment_of(p, o.weight_decay));
    if (o.dampening == 0) return;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      moved_.push_back(allocate_tensor({}, {}, DType::kI64));
      moved_.back().values<std::int64_t>()[0] = 0;
    }
  }
  std::vector<NamedTensor> state() const override {
    std::vector<NamedTensor> named;
    for (std::size_t i = 0; i < velocity_.size(); ++i)
      named.push_back({parameters_[i].name + ".velocity", velocity_[i]});
    for (std::size_t i = 0; i < moved_.size(); ++i)
      named.push_back({parameters_[i].name + ".moved", moved_[i]});
    return named;
  }

 private:
  // lr and, with dampening, the weight of the gradient of every parameter, whether or not it has a gradient.
  std::vector<double> scalars(double lr) const override {
    std::vector<double> numbers{lr};
    for (const Tensor& moved : moved_)
      numbers.push_back(moved.values<std::int64_t>()[0] != 0 ? 1 - options_.dampening : 1);
    return numbers;
  }
  void update(Context& context, const std::vector<std::size_t>& moving, const Tensor& scalars) override {
    StepCall step;
    for (const std::size_t i : moving) {
      const Tensor velocity = velocity_.empty() ? Tensor() : velocity_[i];
      const std::size_t first = step.tensors.size();
      add_moving_tensors(parameters_[i], options_.weight_decay, {velocity}, step);
      for (std::size_t k = first; k < step.tensors.size(); ++k)
        step.tensors[k].share_at = static_cast<std::int64_t>(1 + i);
      if (!moved_.empty()) moved_[i].values<std::int64_t>()[0] = 1;
    }
    const SgdRule rule{options_.momentum, options_.weight_decay, !moved_.empty(), options_.nesterov};
    const SgdStep op(parameters_[moving[0]].value().dtype(), std::move(step.tensors), rule);
    step.buffers.push_back(scalars.elements(0, op.scalars()));
    call(context, op, step.buffers);
  }

  SgdOptions options_;
  std::vector<Tensor> velocity_;
  // With dampening: whether a parameter has had its first step, i64 scalars on the host. The scalars of a
  // step are computed before it is known which parameters will have a gradient, and a replayed graph of the
  // update reads them every time.
  std::vector<Tensor> moved_;
};

class Adam final : public Optimizer {
 public:
  Adam(std::vector<Parameter> parameters, const AdamOptions& o)
      : Optimizer(std::move(parameters)), options_(o) {
    for (const Parameter& p : parameters_) {
      first_.push_back(moment_of(p, o.weight_decay));
      second_.push_back(moment_of(p, o.weight_decay));
    }
  }
  std::vector<NamedTensor> state() const override {
    std::vector<NamedTensor> named;
    for (std::size_t i = 0; i < first_.size(); ++i) {
      named.push_back({parameters_[i].name + ".exp_avg", first_[i]});
      named.push_back({parameters_[i].name + ".exp_avg_sq", second_[i]});
    }
    return named;
  }

 private:
  std::vector<double> scalars(double lr) const override {
    const std::array<double, 3> numbers = adam_step_scalars(rule(), lr, steps_);
    return {numbers.begin(), numbers.end()};
  }
  void update(Context& context, const std::vector<std::size_t>& moving, const Tensor& scalars) override {
    StepCall step;
    for (const std::size_t i : moving) {
      add_moving_tensors(parameters_[i], options_.weight_decay, {first_[i], second_[i]}, step);
    }
    step.buffers.push_back(scalars);
    const DType dtype = parameters_[moving[0]].value().dtype();
    call(context, AdamStep(dtype, std::move(step.tensors), rule()), step.buffers);
  }
  AdamRule rule() const {
    const AdamOptions& o = options_;
    return {o.beta1, o.beta2, o.epsilon, o.weight_decay, o.decoupled};
  }

  AdamOptions options_;
  std::vector<Tensor> first_, second_;  // moments of the gradient, one pair per parameter
};

}  // namespace

std::vector<double> Optimizer::advance(double lr) {
  ++steps_;
  return scalars(lr);
}

void Optimizer::apply(Context& context, const Tensor& scalars) {
  std::vector<std::size_t> moving;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].grad().defined()) moving.push_back(i);
  }
  if (moving.empty()) return;
  update(context, moving, scalars);
  std::vector<Var> moved;
  for (const std::size_t i : moving) moved.push_back(parameters_[i].var);
  pack_weights(context, moved);
  for (const Var& parameter : moved) parameter->grad = {};
}

void Optimizer::step(Context& context, double lr) {
  const std::vector<double> numbers = advance(lr);
  const Tensor device_numbers = context.temporary({static_cast<std::int64_t>(numbers.size())}, DType::kF64);
  from_host(numbers, device_numbers, context.stream);
  apply(context, device_numbers);
}

std::unique_ptr<Optimizer> make_sgd(std::vector<Parameter> parameters, const SgdOptions& options) {
  require(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
          "SGD: Nesterov's momentum needs momentum > 0 and dampening = 0, but they are ", options.momentum,
          " and ", options.dampening);
  return std::make_unique<Sgd>(std::move(parameters), options);
}

std::unique_ptr<Optimizer> make_adam(std::vector<Parameter> parameters, const AdamOptions& options) {
  return std::make_unique<Adam>(std::move(parameters), options);
}

Tensor gradient_norm(Context& context, const std::vector<Parameter>& parameters, double max_norm) {
  TensorList tensors;
  std::vector<Tensor> buffers;
  for (const Parameter& p : parameters) {
    if (!p.grad().defined()) continue;
    tensors.push_back({p.grad().count()});
    buffers.push_back(p.grad());
  }
  const DType dtype = buffers.empty() ? DType::kF32 : buffers[0].dtype();
  Tensor norm = context.temporary({1}, DType::kF64), factor = context.temporary({1}, dtype);
  buffers.insert(buffers.end(), {norm, factor});
  call(context, GradientNorm(dtype, tensors, max_norm), buffers);
  if (max_norm <= 0 || tensors.empty()) return norm;
  buffers.erase(buffers.end() - 2);
  call(context, Clip(dtype, std::move(tensors)), buffers);
  return norm;
}

double clip_gradients(Context& context, const std::vector<Parameter>& parameters, double max_norm) {
  return to_host(gradient_norm(context, parameters, max_norm), context.stream)[0];
}

}  // namespace umbra

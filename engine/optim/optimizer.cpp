#include "engine/optim/optimizer.h"

#include <cmath>

#include "engine/ops/adam/op.h"
#include "engine/ops/reduce/op.h"
#include "engine/ops/scale/op.h"
#include "engine/ops/sgd/op.h"

namespace umbra {
namespace {

Tensor zeros(Device device, const Shape& shape, DType dtype, const Layout& layout) {
  const Tensor tensor = allocate_tensor(device, shape, dtype, layout);
  Stream stream(device);
  from_host(std::vector<double>(static_cast<std::size_t>(tensor.count()), 0.0),
            tensor.elements(0, tensor.count()), stream);
  return tensor;
}

// Moments of a parameter. The gradient of dead weights is zero for ever, so without weight decay they never
// move and have no moments; with it they shrink like PyTorch's, and have them.
Tensor moment_of(const Parameter& p, double weight_decay) {
  const Tensor& value = p.value();
  return zeros(value.device(), value.shape(), value.dtype(),
               weight_decay == 0 ? p.var->grad_layout : value.layout());
}

// Calls update(begin, count, gradient or nothing) for the elements of a parameter that move: those with a
// gradient, which stand in front, and under weight decay the dead ones behind them, whose gradient is zero.
template <class Update>
void for_moving_parts(const Parameter& p, double weight_decay, const Update& update) {
  const Tensor& grad = p.grad();
  require(grad.layout() == p.var->grad_layout, "the gradient of ", p.name,
          " has a layout that is not its own");
  update(0, grad.count(), grad.elements(0, grad.count()));
  const std::int64_t rest = p.value().count() - grad.count();
  if (weight_decay == 0 || rest == 0) return;
  update(grad.count(), rest, Tensor());
}

class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<Parameter> parameters, const SgdOptions& o)
      : Optimizer(std::move(parameters)), options_(o) {
    if (o.momentum == 0) return;
    for (const Parameter& p : parameters_) velocity_.push_back(moment_of(p, o.weight_decay));
  }
  std::vector<NamedTensor> state() const override {
    std::vector<NamedTensor> named;
    for (std::size_t i = 0; i < velocity_.size(); ++i)
      named.push_back({parameters_[i].name + ".velocity", velocity_[i]});
    return named;
  }

 private:
  std::vector<double> scalars(double lr) const override { return {lr}; }
  void update(Context& context, std::size_t i, const Tensor& scalars) override {
    const Tensor& p = parameters_[i].value();
    const SgdOptions& o = options_;
    for_moving_parts(parameters_[i], o.weight_decay,
                     [&](std::int64_t begin, std::int64_t n, const Tensor& grad) {
                       const Tensor velocity = velocity_.empty() ? Tensor() : velocity_[i].elements(begin, n);
                       call(context, SgdStep(p.dtype(), n, o.momentum, o.weight_decay, !grad.defined()),
                            {p.elements(begin, n), grad, velocity, scalars});
                     });
  }

  SgdOptions options_;
  std::vector<Tensor> velocity_;
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
    const auto n = static_cast<double>(steps_);
    return {lr, 1 - std::pow(options_.beta1, n), 1 - std::pow(options_.beta2, n)};
  }
  void update(Context& context, std::size_t i, const Tensor& scalars) override {
    const Tensor& p = parameters_[i].value();
    const AdamOptions& o = options_;
    for_moving_parts(parameters_[i], o.weight_decay,
                     [&](std::int64_t begin, std::int64_t n, const Tensor& grad) {
                       call(context,
                            AdamStep(p.dtype(), n, o.beta1, o.beta2, o.epsilon, o.weight_decay, o.decoupled,
                                     !grad.defined()),
                            {p.elements(begin, n), grad, first_[i].elements(begin, n),
                             second_[i].elements(begin, n), scalars});
                     });
  }

  AdamOptions options_;
  std::vector<Tensor> first_, second_;  // moments of the gradient, one pair per parameter
};

}  // namespace

void Optimizer::step(Context& context, double lr) {
  ++steps_;
  const std::vector<double> numbers = scalars(lr);
  const Tensor device_numbers = context.temporary({static_cast<std::int64_t>(numbers.size())}, DType::kF64);
  from_host(numbers, device_numbers, context.stream);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].grad().defined()) continue;
    update(context, i, device_numbers);
    parameters_[i].grad() = {};
  }
}

std::unique_ptr<Optimizer> make_sgd(std::vector<Parameter> parameters, const SgdOptions& options) {
  return std::make_unique<Sgd>(std::move(parameters), options);
}

std::unique_ptr<Optimizer> make_adam(std::vector<Parameter> parameters, const AdamOptions& options) {
  return std::make_unique<Adam>(std::move(parameters), options);
}

double clip_gradients(Context& context, const std::vector<Parameter>& parameters, double max_norm) {
  std::vector<Tensor> squares;  // one number per parameter, read back together
  for (const Parameter& p : parameters) {
    if (!p.grad().defined()) continue;
    squares.push_back(context.temporary({1}, DType::kF64));
    call(context, SumSquares(p.grad().dtype(), p.grad().count()), {p.grad(), squares.back()});
  }
  double sum = 0;
  for (const Tensor& square : squares) sum += to_host(square, context.stream)[0];
  const double norm = std::sqrt(sum);
  const double factor = max_norm / (norm + 1e-6);
  if (max_norm <= 0 || !(factor < 1)) return norm;
  for (const Parameter& p : parameters) {
    if (!p.grad().defined()) continue;
    const Tensor device_factor = context.temporary({1}, p.grad().dtype());
    from_host(std::vector<double>{factor}, device_factor, context.stream);
    call(context, Scale(p.grad().dtype(), p.grad().count()), {p.grad(), device_factor});
  }
  return norm;
}

}  // namespace umbra

#include "engine/grad/tape.h"

#include <algorithm>

#include "engine/ops/elementwise/add.h"
#include "engine/ops/elementwise/scale.h"

namespace umbra {

const Tensor& StepNumber::tensor(Context& context) {
  if (!tensor_.defined()) {
    tensor_ = context.temporary({1}, DType::kI64);
    from_host(std::vector<double>{static_cast<double>(number_)}, tensor_, context.stream);
  }
  return tensor_;
}

Var constant(Tensor value) {
  auto var = std::make_shared<Variable>();
  var->value = std::move(value);
  return var;
}

Var apply(Pass& pass, std::shared_ptr<const Function> function, std::vector<Var> inputs) {
  std::vector<Tensor> values;
  values.reserve(inputs.size());
  for (const Var& input : inputs) values.push_back(input->value);
  Saved saved;
  Var output = constant(function->forward(pass, values, saved));
  const auto needs_grad = [](const Var& input) { return input->needs_grad; };
  if (pass.tape != nullptr && std::any_of(inputs.begin(), inputs.end(), needs_grad)) {
    output->needs_grad = true;
    pass.tape->record({std::move(function), std::move(inputs), output, std::move(saved)});
  }
  return output;
}

namespace {

void accumulate(Context& context, Variable& variable, const Tensor& grad) {
  if (!variable.grad.defined()) {
    variable.grad = grad;
    return;
  }
  // Not in place: the gradient that is already there may be shared with another Var (add's backward hands one
  // tensor to both of its inputs).
  require(variable.grad.layout() == grad.layout(), "the gradients of one variable have different layouts");
  const Tensor sum = context.temporary_like(grad);
  call(context, Add(grad.dtype(), grad.count()), {variable.grad, grad, sum});
  variable.grad = sum;
}

}  // namespace

void Tape::backward(const Var& loss, const BackwardObserver& observer) {
  require(loss->value.count() == 1, "backward() starts from one number, but the loss has shape ",
          loss->value.shape());
  require(loss->needs_grad,
          "backward() has nothing to do: the loss does not depend on any parameter of this tape");
  loss->grad = context_->temporary(loss->value.shape(), loss->value.dtype());
  call(*context_, SetValue(loss->value.dtype(), 1, 1.0), {loss->grad});
  // Nodes are dropped as they are used, so that activations return to the arena as early as they can.
  for (; !nodes_.empty(); nodes_.pop_back()) {
    Node& node = nodes_.back();
    if (!node.output->grad.defined()) continue;  // nothing downstream of it reached the loss
    std::vector<Tensor> values;
    std::vector<bool> wanted;
    for (const Var& input : node.inputs) {
      values.push_back(input->value);
      wanted.push_back(input->needs_grad);
    }
    const std::vector<Tensor> grads =
        node.function->backward(*context_, node.output->grad, values, node.saved, wanted);
    if (observer) observer(node, grads);
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (wanted[i]) accumulate(*context_, *node.inputs[i], grads[i]);
    }
    node.output->grad = {};
  }
}

}  // namespace umbra

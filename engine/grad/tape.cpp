#include "engine/grad/tape.h"

#include <algorithm>
#include <map>

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

bool Variable::is_at(const void* memory) const {
  for (const Tensor* tensor : {&value, &bf16_copy, &packed.straight, &packed.transposed})
    if (tensor->defined() && tensor->data() == memory) return true;
  return false;
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

// Reports variables whose gradients are final: after the first operation that uses them, the last in backward().
class FinalGradients {
 public:
  FinalGradients(std::span<const Node> nodes, const std::function<void(const Var&)>& report)
      : report_(report) {
    for (std::size_t i = 0; report_ && i < nodes.size(); ++i)
      for (const Var& input : nodes[i].inputs)
        if (input->needs_grad) first_use_.emplace(input.get(), i);
  }
  void after(const Node& node, std::size_t number) {
    for (std::size_t i = 0; report_ && i < node.inputs.size(); ++i) {
      const auto found = first_use_.find(node.inputs[i].get());
      if (found == first_use_.end() || found->second != number) continue;
      first_use_.erase(found);
      if (node.inputs[i]->grad.defined()) report_(node.inputs[i]);
    }
  }

 private:
  const std::function<void(const Var&)>& report_;
  std::map<const Variable*, std::size_t> first_use_;
};

}  // namespace

void Tape::backward(const Var& loss, const BackwardOptions& options) {
  require(loss->value.count() == 1, "backward() starts from one number, but the loss has shape ",
          loss->value.shape());
  require(loss->needs_grad,
          "backward() has nothing to do: the loss does not depend on any parameter of this tape");
  loss->grad = options.start;
  if (!loss->grad.defined()) {
    loss->grad = context_->temporary(loss->value.shape(), loss->value.dtype());
    call(*context_, SetValue(loss->value.dtype(), 1, 1.0), {loss->grad});
  }
  FinalGradients final_gradients(nodes_, options.on_final);
  // Nodes are dropped as they are used, so that activations return to the arena as early as they can.
  for (; !nodes_.empty(); nodes_.pop_back()) {
    Node& node = nodes_.back();
    if (!node.output->grad.defined()) {  // nothing downstream of it reached the loss
      final_gradients.after(node, nodes_.size() - 1);
      continue;
    }
    std::vector<Tensor> values;
    std::vector<bool> wanted;
    std::vector<Tensor> so_far;
    for (const Var& input : node.inputs) {
      values.push_back(input->value);
      wanted.push_back(input->needs_grad);
      const bool offered = input->needs_grad && !options.observer;  // an observer sees the terms of a sum
      so_far.push_back(offered ? std::exchange(input->grad, {}) : Tensor());
    }
    const std::vector<Tensor> grads =
        node.function->backward_onto(*context_, node.output->grad, values, node.saved, wanted, so_far);
    if (options.observer) options.observer(node, grads);
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (!wanted[i]) continue;
      if (so_far[i].defined()) node.inputs[i]->grad = so_far[i];  // otherwise it is part of grads[i]
      accumulate(*context_, *node.inputs[i], grads[i]);
    }
    node.output->grad = {};
    final_gradients.after(node, nodes_.size() - 1);
  }
}

}  // namespace umbra

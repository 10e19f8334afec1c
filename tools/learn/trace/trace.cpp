#include "tools/learn/trace/trace.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tools/learn/trace/kept.h"

namespace umbra::learn {

Trace::Trace(Context& context, Computation computation)
    : context_(context), computation_(std::move(computation)) {
  for (const Parameter& p : computation_.parameters) p.grad() = {};
  Tape tape(context_);
  Pass pass{context_, &tape, computation_.training};
  const Var loss = computation_.loss(pass);
  nodes_ = nodes_of(tape);
  loss_ = numbers(loss->value)[0];
  BackwardOptions options;
  options.observer = [&](const Node& node, std::span<const Tensor> grads) {
    TracedNode& traced = nodes_[tape.nodes().size() - 1];
    traced.upstream = copied(node.output->grad, context_.stream);
    for (std::size_t i = 0; i < grads.size(); ++i)
      if (traced.inputs[i].wanted) traced.inputs[i].grad = copied(grads[i], context_.stream);
  };
  tape.backward(loss, options);
}

std::string Trace::name_of(const Variable& variable) const {
  if (!variable.name.empty()) return variable.name;
  for (const NamedTensor& data : computation_.data)
    if (data.tensor.data() == variable.value.data()) return data.name;  // also when it has another shape
  return "data";
}

std::vector<TracedNode> Trace::nodes_of(const Tape& tape) const {
  std::vector<TracedNode> nodes;
  std::map<const Variable*, int> producer;
  for (const Node& node : tape.nodes()) {
    const int number = static_cast<int>(nodes.size()) + 1;
    TracedNode traced{number, std::string(node.function->name()), {}, node.output->value, {}, node.function,
                      {}};
    for (const Var& input : node.inputs) {
      const auto made = producer.find(input.get());
      const int from = made == producer.end() ? 0 : made->second;
      traced.inputs.push_back(
          {from > 0 ? concat("n", from) : name_of(*input), from, input->needs_grad, input->value, {}});
    }
    for (const Tensor& saved : node.saved) traced.saved.push_back(copied(saved, context_.stream));
    producer[node.output.get()] = number;
    nodes.push_back(std::move(traced));
  }
  return nodes;
}

Change Trace::change(const std::string& parameter, std::int64_t element, double eps) const {
  const auto& all = computation_.parameters;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Parameter& p) { return p.name == parameter; });
  require(found != all.end(), "there is no parameter ", parameter);
  const Tensor value = found->value();
  require(element >= 0 && element < value.shape().count(), parameter, " has the shape ", value.shape(),
          " and so no element ", element);
  const KeptValues kept(computation_.buffers, context_.stream);
  const KeptValues weights({{parameter, value}}, context_.stream);
  const auto at = static_cast<std::size_t>(element);
  std::vector<double> values = numbers(value);
  const double before = values[at];
  values[at] += eps;
  from_host(values, value, context_.stream);
  Change change{parameter, element, numbers(value)[at] - before, 0, loss_, 0, {}};
  if (found->grad().defined()) change.gradient = numbers(found->grad())[at];
  Tape tape(context_);
  Pass pass{context_, &tape, computation_.training};
  change.loss_after = numbers(computation_.loss(pass)->value)[0];
  const std::vector<TracedNode> after = nodes_of(tape);
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const std::vector<double> old = numbers(nodes_[n].output), now = numbers(after[n].output);
    Change::Moved moved{nodes_[n].number, 0, static_cast<std::int64_t>(old.size()), 0, old[0], now[0]};
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (old[i] == now[i]) continue;
      ++moved.changed;
      if (std::abs(now[i] - old[i]) > std::abs(moved.after - moved.before)) {
        moved.element = static_cast<std::int64_t>(i);
        moved.before = old[i];
        moved.after = now[i];
      }
    }
    change.moved.push_back(moved);
  }
  return change;
}

}  // namespace umbra::learn

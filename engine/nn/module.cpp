#include "engine/nn/module.h"

namespace umbra {

Var Module::add_parameter(std::string name, Tensor value, Layout grad_layout) {
  Var var = constant(std::move(value));
  var->needs_grad = true;
  var->name = name;
  var->grad_layout = std::move(grad_layout);
  parameters_.push_back({std::move(name), var});
  return var;
}

Tensor Module::add_buffer(std::string name, Tensor value) {
  buffers_.push_back({std::move(name), value});
  return value;
}

void Module::collect(const std::string& prefix, std::vector<Parameter>* parameters,
                     std::vector<NamedTensor>* buffers, std::vector<NamedTensor>* state) const {
  for (const Parameter& p : parameters_) {
    p.var->name = prefix + p.name;
    if (parameters) parameters->push_back({prefix + p.name, p.var});
    if (state) state->push_back({prefix + p.name, p.value()});
  }
  for (const NamedTensor& b : buffers_) {
    if (buffers) buffers->push_back({prefix + b.name, b.tensor});
    if (state) state->push_back({prefix + b.name, b.tensor});
  }
  for (const auto& [name, child] : children_) child->collect(prefix + name + ".", parameters, buffers, state);
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> found;
  collect("", &found, nullptr, nullptr);
  return found;
}

std::vector<NamedTensor> Module::buffers() const {
  std::vector<NamedTensor> found;
  collect("", nullptr, &found, nullptr);
  return found;
}

std::vector<NamedTensor> Module::state() const {
  std::vector<NamedTensor> found;
  collect("", nullptr, nullptr, &found);
  return found;
}

void Module::replayed() {
  for (const auto& [name, child] : children_) child->replayed();
}

}  // namespace umbra

#include "engine/nn/module.h"

#include "engine/grad/packed_weights.h"

namespace umbra {
namespace {

// By way of the host, one part at a time; this happens once in a run.
void renew_bf16_copy(const Variable& weight) {
  constexpr std::int64_t kPart = 1 << 20;
  Stream stream(weight.value.device());
  for (std::int64_t begin = 0; begin < weight.bf16_copy.count(); begin += kPart) {
    const std::int64_t count = std::min(kPart, weight.bf16_copy.count() - begin);
    from_host(to_host(weight.value.elements(begin, count), stream), weight.bf16_copy.elements(begin, count),
              stream);
  }
  stream.synchronize();
}

}  // namespace

Var Module::add_parameter(std::string name, Tensor value, Layout grad_layout) {
  Var var = constant(std::move(value));
  var->needs_grad = true;
  var->name = name;
  var->grad_layout = std::move(grad_layout);
  parameters_.push_back({std::move(name), var});
  return var;
}

Var Module::add_weight(const Build& build, std::string name, Tensor value, Precision operands,
                       Layout grad_layout) {
  const bool keeps_copy =
      PrecisionPolicy::keeps_bf16_copy(operands, value.dtype(), build.learns, build.device.kind);
  Var var = add_parameter(std::move(name), std::move(value), std::move(grad_layout));
  if (keeps_copy) {
    var->bf16_copy = allocate_tensor(build.device, var->value.shape(), DType::kBf16, var->grad_layout);
    renew_bf16_copy(*var);
  }
  return var;
}

void Module::renew_copies() const {
  std::vector<Var> weights;
  for (const Parameter& p : parameters()) {
    weights.push_back(p.var);
    if (p.var->bf16_copy.defined()) renew_bf16_copy(*p.var);
  }
  renew_packed(weights);
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

#include "models/um_dense.h"

#include "models/box_samples.h"

namespace umbra {

std::vector<Setting> UmDenseOptions::settings() {
  return {{"model.dropout", "probability of dropping a hidden unit", &dropout, 0, 0.99}};
}

std::unique_ptr<Module> UmDenseOptions::make(Build& build, const SampleShape& shape) const {
  UmDenseOptions options = *this;
  options.parameters = shape.parameters;
  options.inputs = shape.input.count() / shape.input[0] * (shape.input[0] - shape.parameters);
  options.outputs = shape.outputs;
  return std::make_unique<UmDense>(build, options);
}

std::unique_ptr<Model> um_dense_model() {
  return std::make_unique<ModelOf<UmDenseOptions>>();
}

UmDense::UmDense(Build& build, const UmDenseOptions& o) : options_(o) {
  require(o.inputs > 0 && o.outputs > 0, "um_dense: inputs and outputs must be positive");
  fc1_ = add_child("fc1", std::make_shared<Linear>(build, o.inputs + o.parameters, 1000));
  fcbn1_ = add_child("fcbn1", std::make_shared<BatchNorm>(build, 1000));
  fc2_ = add_child("fc2", std::make_shared<Linear>(build, 1000, 150));
  fcbn2_ = add_child("fcbn2", std::make_shared<BatchNorm>(build, 150));
  fc3_ = add_child("fc3", std::make_shared<Linear>(build, 150, o.outputs));
}

Var UmDense::forward(Pass& pass, const Var& x) {
  const auto [map, parameters] = split_parameters(pass, x, options_.parameters);
  Var s = flatten(pass, map);  // [N, inputs]
  if (parameters) s = concatenate(pass, {s, parameters}, 1);
  s = dropout(pass, fcbn1_->forward_relu(pass, fc1_->forward(pass, s)), options_.dropout);
  s = dropout(pass, fcbn2_->forward_relu(pass, fc2_->forward(pass, s)), options_.dropout);
  return fc3_->forward(pass, s);  // [N, outputs]
}

}  // namespace umbra

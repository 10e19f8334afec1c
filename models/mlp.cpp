#include "models/mlp.h"

namespace umbra {

std::vector<Setting> MlpOptions::settings() {
  return {
      {"model.hidden", "units of each hidden layer; [] for none, a linear model", &hidden, 1, 1e6},
      {"model.batch_norm", "a batch norm between each hidden layer and its activation", &batch_norm},
      {"model.activation",
       "of the hidden layers: relu, or silu, x / (1 + exp(-x))",
       &activation,
       0,
       0,
       {"relu", "silu"}},
      {"model.dropout", "probability of dropping a hidden unit", &dropout, 0, 0.99},
  };
}

std::string MlpOptions::label() const {
  std::string text(kName);
  for (std::size_t i = 0; i < hidden.size(); ++i) text += concat(i == 0 ? " " : "-", hidden[i]);
  return text;
}

std::unique_ptr<Module> MlpOptions::make(Build& build, const SampleShape& shape) const {
  MlpOptions options = *this;
  options.inputs = shape.input.count();
  options.outputs = shape.outputs;
  return std::make_unique<Mlp>(build, options);
}

std::unique_ptr<Model> mlp_model() {
  return std::make_unique<ModelOf<MlpOptions>>();
}

Mlp::Mlp(Build& build, const MlpOptions& o) : dropout_(o.dropout), silu_(o.activation == "silu") {
  require(o.inputs > 0 && o.outputs > 0, "mlp: inputs and outputs must be positive");
  require(silu_ || o.activation == "relu", "mlp: the activation is relu or silu, not ", o.activation);
  std::int64_t in = o.inputs;
  for (const std::int64_t out : o.hidden) {
    fc_.push_back(add_child(concat("fc", fc_.size() + 1), std::make_shared<Linear>(build, in, out)));
    if (o.batch_norm)
      bn_.push_back(add_child(concat("bn", fc_.size()), std::make_shared<BatchNorm>(build, out)));
    in = out;
  }
  fc_.push_back(add_child(concat("fc", fc_.size() + 1), std::make_shared<Linear>(build, in, o.outputs)));
}

Var Mlp::forward(Pass& pass, const Var& x) {
  Var s = flatten(pass, x);  // [N, inputs]
  for (std::size_t i = 0; i + 1 < fc_.size(); ++i) {
    s = fc_[i]->forward(pass, s);
    if (silu_)
      s = silu(pass, bn_.empty() ? s : bn_[i]->forward(pass, s));
    else
      s = bn_.empty() ? relu(pass, s) : bn_[i]->forward_relu(pass, s);
    s = dropout(pass, s, dropout_);
  }
  return fc_.back()->forward(pass, s);  // [N, outputs]
}

}  // namespace umbra

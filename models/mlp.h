// A multi-layer perceptron. It flattens inputs of any shape:
//   (fc, BN, ReLU or SiLU, dropout) for every hidden layer, then fc
#pragma once

#include "engine/nn/layers.h"
#include "models/model.h"

namespace umbra {

/// The options of Mlp; ModelOf<MlpOptions> is the model.
struct MlpOptions {
  static constexpr std::string_view kName = "mlp",  ///< the name in models.def
      /// The line of --help.
      kMeaning = "fully connected layers, for inputs of any shape";
  std::vector<std::int64_t> hidden{128, 128};  ///< units of each hidden layer; empty: a linear model
  bool batch_norm = true;                      ///< a batch norm between each hidden layer and its activation
  std::string activation = "relu";             ///< of the hidden layers: "relu" or "silu"
  double dropout = 0;                          ///< probability of dropping a hidden unit
  std::int64_t inputs = 1,                     ///< numbers per input sample, taken from the data
      outputs = 1;                             ///< numbers per output sample, taken from the data

  /// The settings of `hidden`, `batch_norm`, `activation` and `dropout`; the data determine the others.
  std::vector<Setting> settings();
  /// The name and the hidden layers, e.g. "mlp 128-128".
  std::string label() const;
  /// An image of 784 pixels and 10 classes.
  SampleShape example() const { return {{784}, 10}; }
  /// A network for samples of this shape, which it flattens.
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const;
};

/// The network of MlpOptions.
class Mlp final : public Module {
 public:
  /// Throws Error unless options.inputs and options.outputs are positive and the activation is known.
  Mlp(Build& build, const MlpOptions& options);
  /// x [N, …] of options.inputs numbers each -> [N, outputs]
  Var forward(Pass& pass, const Var& x) override;

 private:
  double dropout_;
  bool silu_;
  std::vector<std::shared_ptr<Linear>> fc_;     // fc1, fc2, …; the last has no BN, activation or dropout
  std::vector<std::shared_ptr<BatchNorm>> bn_;  // bn1, …; empty without options.batch_norm
};

}  // namespace umbra

// A multi-layer perceptron on inputs of any shape, which it flattens:
//   (fc, BN, ReLU, dropout) for every hidden layer, then fc
#pragma once

#include "engine/nn/layers.h"
#include "models/model.h"

namespace umbra {

struct MlpOptions {
  static constexpr std::string_view kName = "mlp",
                                    kMeaning = "fully connected layers with ReLU, for inputs of any shape";
  std::vector<std::int64_t> hidden{128, 128};  // units of each hidden layer
  bool batch_norm = true;                      // between a hidden layer and its ReLU
  double dropout = 0;                          // probability of dropping a hidden unit
  std::int64_t inputs = 1, outputs = 1;        // numbers per sample

  std::vector<Setting> settings();  // of hidden, batch_norm and dropout; the others follow from the data
  std::string label() const;        // "mlp 128-128"
  SampleShape example() const { return {{784}, 10}; }
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const;
};

class Mlp final : public Module {
 public:
  Mlp(Build& build, const MlpOptions& options);
  /// x [N, …] of options.inputs numbers each -> [N, outputs]
  Var forward(Pass& pass, const Var& x) override;

 private:
  double dropout_;
  std::vector<std::shared_ptr<Linear>> fc_;     // fc1, fc2, …, the last without what follows
  std::vector<std::shared_ptr<BatchNorm>> bn_;  // bn1, …; none without options.batch_norm
};

}  // namespace umbra

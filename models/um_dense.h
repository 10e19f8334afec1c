// The fully connected network in the code of Nadler & To (2018; github.com/chto/umml, model/net.py, class
// Fullconnect), which their paper does not mention:
//
//   flatten (25^3 = 15,625), join the parameters of the box (if any), fc1 1000, BN, ReLU, dropout, fc2 150, BN, ReLU,
//   dropout, fc3 bins
//
// Layers have the authors' names. Their fc3 has 34 outputs for the 34 mass bins they had then, and their rate of
// dropout is stored but not used, as with model.dropout=0 here.
//
// 99 % of the 15.8 million parameters are in fc1, and the network does not use which voxels are neighbours.
#pragma once

#include "engine/nn/layers.h"
#include "models/model.h"

namespace umbra {

/// The options of UmDense; ModelOf<UmDenseOptions> is the model.
struct UmDenseOptions {
  static constexpr std::string_view kName = "um_dense",  ///< the name in models.def
      /// The line of --help.
      kMeaning = "the fully connected network of Nadler & To's code, for inputs of any shape";
  double dropout = 0;           ///< probability of dropping a hidden unit
  std::int64_t inputs = 15625;  ///< numbers per sample without its parameters, taken from the data
  std::int64_t outputs = 14;    ///< mass bins, taken from the data
  std::int64_t parameters = 0;  ///< of a sample, its last channels, taken from the data

  /// The setting of `dropout`; the data determine the others.
  std::vector<Setting> settings();
  /// The name alone.
  std::string label() const { return std::string(kName); }
  /// The samples of the paper: 25^3 voxels and 14 mass bins.
  SampleShape example() const { return {{1, 25, 25, 25}, 14}; }
  /// A network for samples of this shape, which it flattens. Parameters are one input each, not one per voxel.
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const;
};

/// The network of UmDenseOptions.
class UmDense final : public Module {
 public:
  /// Throws Error unless options.inputs and options.outputs are positive.
  UmDense(Build& build, const UmDenseOptions& options);
  /// x [N, …] -> [N, outputs]; with parameters, x is [N, channels, S…].
  Var forward(Pass& pass, const Var& x) override;

 private:
  UmDenseOptions options_;
  std::shared_ptr<Linear> fc1_, fc2_, fc3_;
  std::shared_ptr<BatchNorm> fcbn1_, fcbn2_;
};

}  // namespace umbra

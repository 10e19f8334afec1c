// Module: a part of a network with named parameters and buffers. Names are joined with dots, in the order of
// registration. They are PyTorch's ("layer1.0.downsample.1.running_mean"), so that weights can be exchanged.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/grad/functions.h"

namespace umbra {

/// A tensor that is learnt.
struct Parameter {
  std::string name;  ///< in the whole network, such as "layer1.0.conv1.weight"
  Var var;           ///< value and gradient
  const Tensor& value() const { return var->value; }  ///< the current weights
  Tensor& grad() const { return var->grad; }          ///< undefined until Tape::backward() has run
};

/// A named tensor of the state of a network or an optimiser: parameters, running statistics, counters,
/// moments.
struct NamedTensor {
  std::string name;  ///< in the whole network, such as "bn1.running_mean"
  Tensor tensor;     ///< a handle: writing to it changes the state
};

/// How the parameters of a network are created. Every parameter draws its initial values from its own stream
/// of random numbers, numbered in the order of construction.
struct Build {
  Device device{};                ///< where parameters are stored
  DType dtype = DType::kF32;      ///< type of parameters and activations
  std::uint64_t seed = 1;         ///< of the initial values
  std::uint64_t next_stream = 0;  ///< stream of the next parameter
  /// False for a network that is loaded and used for inference only. No initial values are drawn, and weights
  /// that only ever meet padding are not stored (they are a third of the memory at C = 200). Such a network
  /// cannot be trained or saved.
  bool learns = true;
  /// The format in which weights are stored, and which of them have a copy in bfloat16 (Variable::bf16_copy).
  /// Weights stored as bfloat16 can only be used by conv_inference().
  PrecisionPolicy precision{};
};

/// A part of a network: a layer, a block, or a whole network.
class Module {
 public:
  virtual ~Module() = default;
  /// Computes the output, recording it when pass.tape is set.
  virtual Var forward(Pass& pass, const Var& x) = 0;
  /// Does what forward() does on the host in training. Called when a captured pass is replayed, which does
  /// not call forward().
  virtual void replayed();
  /// Updates the bfloat16 copies and packed forms of weights, and waits for it. Trainer::run() and load_state() call it.
  /// Call it when anything else but an optimiser has written weights (load_checkpoint() or from_host() to state(), an
  /// Observer), after the writing is done and before the network, or a graph that has captured it, runs again.
  void renew_copies() const;

  /// All parameters, including those of children, in the order of registration.
  std::vector<Parameter> parameters() const;
  /// All tensors of the state that are not learnt by gradient, in the order of registration.
  std::vector<NamedTensor> buffers() const;
  /// Parameters and buffers together, in the order of PyTorch's state_dict.
  std::vector<NamedTensor> state() const;

 protected:
  /// Registers a parameter and returns it. `grad_layout` is the layout of its gradient and moments, which may
  /// store fewer positions than the value (dead taps).
  Var add_parameter(std::string name, Tensor value, Layout grad_layout = {});
  /// Registers a weight that enters products with precision `operands`. Where the precision asks for a
  /// bfloat16 copy, it is created in `grad_layout` and filled.
  Var add_weight(const Build& build, std::string name, Tensor value, Precision operands,
                 Layout grad_layout = {});
  /// Registers a tensor of the state that is not learnt by gradient, and returns it.
  Tensor add_buffer(std::string name, Tensor value);
  /// Registers a child, whose names are preceded by `name` and a dot, and returns it.
  template <class M>
  std::shared_ptr<M> add_child(std::string name, std::shared_ptr<M> child) {
    children_.emplace_back(std::move(name), child);
    return child;
  }

 private:
  void collect(const std::string& prefix, std::vector<Parameter>* parameters,
               std::vector<NamedTensor>* buffers, std::vector<NamedTensor>* state) const;

  std::vector<Parameter> parameters_;
  std::vector<NamedTensor> buffers_;
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children_;
};

}  // namespace umbra

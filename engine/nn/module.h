// Module: a piece of a network with named parameters and buffers. Names are joined with dots in the order of
// registration and are PyTorch's ("layer1.0.downsample.1.running_mean"), so that weights can be exchanged.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/grad/functions.h"

namespace umbra {

/// A learnt tensor: its name in the whole network, its value and, after backward(), its gradient.
struct Parameter {
  std::string name;
  Var var;
  const Tensor& value() const { return var->value; }
  Tensor& grad() const { return var->grad; }
};

/// A tensor that belongs to the network's state but is not learnt by gradient (running statistics, counters).
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Where and how parameters come to life. Each one draws from a stream of its own, numbered in the order of
/// construction.
struct Build {
  Device device{};
  DType dtype = DType::kF32;
  std::uint64_t seed = 1;
  std::uint64_t next_stream = 0;
  /// false: a network that is only loaded and asked. No initial values are drawn, and weights that only ever
  /// meet padding are not held (a third of the memory at C = 200); such a network cannot be trained or saved.
  bool learns = true;
  /// As what weights are held, and which have a copy in bfloat16 (Variable::bf16_copy). Weights held as
  /// bfloat16 can be used by conv_inference only.
  PrecisionPolicy precision{};
};

class Module {
 public:
  virtual ~Module() = default;
  virtual Var forward(Pass& pass, const Var& x) = 0;
  /// What forward() does on the host in training, where a captured pass is replayed instead of called.
  virtual void replayed();
  /// Makes the bfloat16 copies of weights anew: wherever weights were written by anything but an optimiser.
  void renew_bf16_copies() const;

  std::vector<Parameter> parameters() const;  // registration order, children in place
  std::vector<NamedTensor> buffers() const;
  /// Parameters and buffers together in the order of PyTorch's state_dict.
  std::vector<NamedTensor> state() const;

 protected:
  /// `grad_layout`: of the gradient and the moments, where they hold less than the value (dead taps).
  Var add_parameter(std::string name, Tensor value, Layout grad_layout = {});
  /// The same for a weight that is multiplied as `operands`: with its copy in bfloat16, where it has one, of
  /// the layout `grad_layout` and already made.
  Var add_weight(const Build& build, std::string name, Tensor value, Precision operands,
                 Layout grad_layout = {});
  Tensor add_buffer(std::string name, Tensor value);
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

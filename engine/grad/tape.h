// Reverse-mode automatic differentiation.
//
// A Var is a value in a computation and, later, the gradient of the loss with respect to it. A Function is an
// operation with a forward and a backward rule and no state. apply() runs the forward rule and, when there is
// a Tape, records a Node: the function, its Vars, and the tensors that the backward rule needs. Nodes are
// recorded in execution order, which is a topological order, so backward() walks them once from the end,
// without recursion or sorting. A Var that is used twice receives the sum of its gradients.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/philox.h"
#include "engine/tensor/context.h"

namespace umbra {

/// The weights of a convolution as tensor cores read them in TF32 (PackOperand): rounded, in rows along the sums of
/// its passes. A form is undefined until an op reads it; then it is kept, and holds the numbers of the weights.
struct PackedWeights {
  Tensor straight;    ///< [live tap, Cin, pitch], for dgrad
  Tensor transposed;  ///< [live tap, Cout, pitch], for fprop and inference
  /// Whether forms are kept: those of a Conv's weights, which only change in an update or before
  /// Module::renew_copies(). Kernels pack the weights of others themselves.
  bool kept = false;
};

/// A value and its gradient.
struct Variable {
  Tensor value;             ///< the result of an operation, a parameter, or data
  Tensor grad;              ///< gradient of the loss; undefined until backward() has reached this variable
  bool needs_grad = false;  ///< whether backward() computes the gradient
  std::string name;         ///< name of a parameter, for messages; otherwise empty
  /// Layout of a parameter's gradient and moments. It stores only the elements that can change, which come
  /// first in the value's memory.
  Layout grad_layout;
  /// Copy of a weight rounded to bfloat16, in grad_layout; undefined when the weight has no such copy.
  Tensor bf16_copy;
  PackedWeights packed;  ///< other forms of the weights of a convolution
  /// Whether `memory` holds this variable's numbers, in whichever format.
  bool is_at(const void* memory) const;
};
/// A shared handle to a Variable: what operations take and return.
using Var = std::shared_ptr<Variable>;

/// A Var without gradient, for data.
Var constant(Tensor value);

class Communicator;
class Tape;

/// The number of a training step, given by the host or stored in device memory. A step that is replayed as a
/// captured graph reads it from device memory, where it is updated before every replay.
class StepNumber {
 public:
  /// A number known on the host.
  StepNumber(std::uint64_t number = 0) : number_(number) {}
  /// A number in device memory: `tensor` is i64 [1].
  StepNumber(Tensor tensor) : tensor_(std::move(tensor)) {}
  /// The number as i64 [1] on the device of `context`. A number of the host is copied there once.
  const Tensor& tensor(Context& context);

 private:
  std::uint64_t number_ = 0;
  Tensor tensor_;
};

/// The part of a batch that this process computes, if several processes share the batch.
struct SharedBatch {
  std::int64_t first = 0;    ///< place in the batch of the first sample of the part
  std::int64_t samples = 0;  ///< number of samples of the whole batch
  /// The processes that share it, if batch norm uses the statistics of the whole batch; null: it uses those of the part.
  Communicator* statistics = nullptr;
};

/// Everything a forward pass depends on besides its input and parameters. It replaces global switches.
struct Pass {
  Context& context;               ///< where ops run
  Tape* tape = nullptr;           ///< records the pass for backward(); null: nothing can be differentiated
  bool training = false;          ///< batch norm uses the statistics of the batch, dropout is active
  Rng rng{0, Purpose::kDropout};  ///< its seed is part of the key of dropout masks
  StepNumber step{};              ///< part of the key of dropout masks
  std::uint64_t draws = 0;  ///< number of dropout layers passed so far; part of the key of dropout masks
  const SharedBatch* shared = nullptr;  ///< what the batch is a part of; null: it is whole
};

/// The tensors that Function::forward() keeps for Function::backward(), in an order the function chooses.
using Saved = std::vector<Tensor>;

/// A differentiable operation: a forward and a backward rule without mutable state.
class Function {
 public:
  virtual ~Function() = default;
  /// Name for messages and profiles, such as "conv".
  virtual std::string_view name() const = 0;
  /// Computes the output from the values of the inputs, and stores in `saved` what backward() needs.
  virtual Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const = 0;
  /// Returns the gradient of every input, given the gradient of the output. An entry whose `wanted` is false
  /// may be undefined.
  virtual std::vector<Tensor> backward(Context& context, const Tensor& output_grad,
                                       std::span<const Tensor> inputs, const Saved& saved,
                                       const std::vector<bool>& wanted) const = 0;
  /// The same for inputs that operations after this one use, too: so_far[i], where it is defined, is the gradient
  /// of input i from those. A rule that adds its own to it at no cost returns the sum and makes so_far[i]
  /// undefined; by default none does.
  virtual std::vector<Tensor> backward_onto(Context& context, const Tensor& output_grad,
                                            std::span<const Tensor> inputs, const Saved& saved,
                                            const std::vector<bool>& wanted,
                                            std::vector<Tensor>& /*so_far*/) const {
    return backward(context, output_grad, inputs, saved, wanted);
  }
};

/// One recorded operation.
struct Node {
  std::shared_ptr<const Function> function;  ///< its rules
  std::vector<Var> inputs;                   ///< arguments of Function::forward()
  Var output;                                ///< result of Function::forward()
  Saved saved;                               ///< tensors kept for Function::backward()
};

/// Sees the walk of Tape::backward(): called after the backward rule of each node, last node first, while the
/// node is the last of Tape::nodes(). node.output->grad is the upstream gradient; `grads` are what the rule
/// returned, one per input, meaningful where the input needs a gradient. The observer must not change them.
using BackwardObserver = std::function<void(const Node& node, std::span<const Tensor> grads)>;

/// What Tape::backward() does besides adding gradients.
struct BackwardOptions {
  BackwardObserver observer = {};  ///< sees every node that has a gradient
  /// Called with every variable as soon as its gradient has its last term, the last operation of the tape first: a
  /// parameter's gradient may then be sent while backward() computes the others.
  std::function<void(const Var&)> on_final = {};
  Tensor start = {};  ///< of the same shape and type as the loss: what its gradient starts from; undefined: 1
};

/// The operations of a forward pass in execution order.
class Tape {
 public:
  /// An empty tape whose backward pass runs with `context`, which must outlive it.
  explicit Tape(Context& context) : context_(&context) {}

  /// Appends an operation; apply() calls it.
  void record(Node node) { nodes_.push_back(std::move(node)); }
  /// Adds the gradient of `loss` with respect to every Var that needs one to its Variable::grad, and removes
  /// all nodes: a tape is walked once. Throws Error unless `loss` has one element and depends on a parameter.
  void backward(const Var& loss, const BackwardOptions& options = {});
  /// The recorded operations that backward() has not yet consumed.
  std::span<const Node> nodes() const { return nodes_; }

 private:
  Context* context_;
  std::vector<Node> nodes_;
};

/// Runs `function` on `inputs` and returns its output. Records it when the pass has a tape and an input
/// needs a gradient.
Var apply(Pass& pass, std::shared_ptr<const Function> function, std::vector<Var> inputs);

}  // namespace umbra

// Reverse-mode automatic differentiation.
//
// A Var is a value in a computation and, later, the gradient of the loss with respect to it. A Function is an
// operation with a forward and a backward rule and no state of its own. apply() runs the forward rule and,
// when there is a Tape, writes a Node: what was done, on which Vars, and what the backward rule will need.
// Nodes stand in execution order, which already is a topological order, so backward() walks them once from
// the end: no recursion, no sort. A Var used twice collects the sum of its gradients.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/philox.h"
#include "engine/tensor/context.h"

namespace umbra {

/// A value and, once backward() has passed it, its gradient (an undefined tensor until then).
struct Variable {
  Tensor value;
  Tensor grad;
  bool needs_grad = false;
  std::string name;    // of a parameter, for messages
  Layout grad_layout;  // of a parameter's gradient and moments: what can change, first in the value's memory
  Tensor bf16_copy;    // of a weight, where there is one: what can change, rounded to bfloat16
};
using Var = std::shared_ptr<Variable>;

/// A Var that needs no gradient: data.
Var constant(Tensor value);

class Tape;

/// The number of a training step: the host's, or one in the memory of the device, where whoever replays the
/// step as a graph sets it anew every time.
class StepNumber {
 public:
  StepNumber(std::uint64_t number = 0) : number_(number) {}
  StepNumber(Tensor tensor) : tensor_(std::move(tensor)) {}
  /// I64 [1] on the device of `context`. The host's number is copied there once.
  const Tensor& tensor(Context& context);

 private:
  std::uint64_t number_ = 0;
  Tensor tensor_;
};

/// Everything a forward pass depends on beside its input. It replaces every global switch.
struct Pass {
  Context& context;
  Tape* tape = nullptr;   // null: nothing is recorded, nothing can be differentiated
  bool training = false;  // batch statistics and dropout
  Rng rng{0, Purpose::kDropout};
  StepNumber step{};        // with rng.seed() and draws it keys dropout masks
  std::uint64_t draws = 0;  // dropout layers passed so far
};

/// What forward() leaves for backward(): tensors, in an order of the Function's own.
using Saved = std::vector<Tensor>;

class Function {
 public:
  virtual ~Function() = default;
  virtual std::string_view name() const = 0;
  /// Computes the output from the inputs' values; pushes what backward() needs to `saved`.
  virtual Tensor forward(Pass& pass, std::span<const Tensor> inputs, Saved& saved) const = 0;
  /// Returns one gradient per input, given the output's; an entry whose `wanted` is false may be left
  /// undefined.
  virtual std::vector<Tensor> backward(Context& context, const Tensor& output_grad,
                                       std::span<const Tensor> inputs, const Saved& saved,
                                       const std::vector<bool>& wanted) const = 0;
};

struct Node {
  std::shared_ptr<const Function> function;
  std::vector<Var> inputs;
  Var output;
  Saved saved;
};

class Tape {
 public:
  explicit Tape(Context& context) : context_(&context) {}

  void record(Node node) { nodes_.push_back(std::move(node)); }
  /// Gradients of `loss` (one element) with respect to every Var that needs one, added to Variable::grad. A
  /// tape is walked once: its nodes are gone afterwards.
  void backward(const Var& loss);
  std::span<const Node> nodes() const { return nodes_; }

 private:
  Context* context_;
  std::vector<Node> nodes_;
};

/// Runs `function` on `inputs`, recording it when the pass has a tape and an input needs a gradient.
Var apply(Pass& pass, std::shared_ptr<const Function> function, std::vector<Var> inputs);

}  // namespace umbra

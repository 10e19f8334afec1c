// A trace: one training step (forward, loss, backward) of any network, kept node by node as the engine's tape runs it.
// Nothing here knows an operation. What is shown of one comes from its Function: name, inputs, output and gradients.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/module.h"

namespace umbra::learn {

/// What a trace runs: a loss that depends on parameters.
struct Computation {
  std::function<Var(Pass&)> loss;     ///< runs the forward pass and returns one number
  std::vector<Parameter> parameters;  ///< what the loss depends on
  /// Tensors that a forward pass writes, such as running statistics: every extra pass restores them.
  std::vector<NamedTensor> buffers = {};
  std::vector<NamedTensor> data = {};  ///< names of inputs that are not learnt, such as "x"
  bool training = true;                ///< as Pass::training
};

/// An argument of an operation.
struct TracedInput {
  std::string name;  ///< of a parameter or of data; "n3" for the result of node 3
  int producer;      ///< number of the node that computed it; 0 for parameters and data
  bool wanted;       ///< whether it gets a gradient
  Tensor value;
  Tensor grad;  ///< what the backward rule returned for it; undefined unless `wanted` and reached
};

/// One recorded operation.
struct TracedNode {
  int number;             ///< from 1, in the order of the forward pass
  std::string operation;  ///< Function::name()
  std::vector<TracedInput> inputs;
  Tensor output;
  Tensor
      upstream;  ///< gradient of the loss with respect to the output; undefined if it does not reach the loss
  std::shared_ptr<const Function> function;
  Saved saved;  ///< a copy: backward rules may reuse the memory of theirs

  /// "n3"
  std::string name() const { return concat("n", number); }
};

/// One way on which an element of an input changes the loss: through one element of the output.
struct Term {
  std::int64_t output;             ///< row-major index in the output
  double upstream, local, result;  ///< d loss / d output, d output / d input, and their product
};

/// The chain rule for one element of one input: its gradient is the sum over all elements of the output of
/// upstream × local.
struct ChainRule {
  std::int64_t element;     ///< row-major index in the input: the one with the largest gradient
  std::vector<Term> terms;  ///< the largest ones, largest first
  std::int64_t others;      ///< number of elements of the output that are not in `terms`
  double rest;              ///< sum of their terms
  double recorded;          ///< the gradient that the backward pass computed
  double bound;             ///< limit of |sum() - recorded|, which is rounding
  /// All terms together.
  double sum() const;
};

/// What a change of one element of a parameter does.
struct Change {
  std::string parameter;
  std::int64_t element;
  double eps;       ///< the change of the element, after rounding to its type
  double gradient;  ///< d loss / d element
  double loss_before, loss_after;
  struct Moved {
    int node;                     ///< number
    std::int64_t changed, count;  ///< elements of the output that changed, and all
    std::int64_t element;         ///< the one that changed most
    double before, after;         ///< its values
  };
  std::vector<Moved> moved;  ///< for every node, in order
  double predicted() const { return gradient * eps; }
  double actual() const { return loss_after - loss_before; }
};

/// One training step of a computation. The parameters' gradients are left as backward() leaves them, so that an
/// optimiser may follow.
class Trace {
 public:
  /// Runs the forward and the backward pass. `context` must outlive the trace.
  Trace(Context& context, Computation computation);

  const std::vector<TracedNode>& nodes() const { return nodes_; }
  const std::vector<Parameter>& parameters() const { return computation_.parameters; }
  double loss() const { return loss_; }
  /// Elements of any tensor in row-major order, whatever its layout.
  std::vector<double> numbers(const Tensor& tensor) const { return to_host(tensor, context_.stream); }

  /// Whether the gradient of that input was computed.
  static bool has_gradient(const TracedNode& node, std::size_t input) {
    return node.upstream.defined() && node.inputs[input].grad.defined();
  }
  /// The chain rule for the element of the input with the largest gradient, with at most `most` terms. Needs
  /// has_gradient(). The local derivatives are exact: backward rules are linear in the upstream gradient, so that one
  /// with a 1 at a single element of the output gives the derivative of this element.
  ChainRule chain_rule(const TracedNode& node, std::size_t input, std::size_t most) const;
  /// The largest |sum of the terms - recorded gradient| / bound of all inputs of all nodes: at most 1.
  double largest_disagreement() const;
  /// Adds `eps` to an element (row-major index) of a parameter, runs the forward pass, and takes the change back.
  /// Throws Error when there is no such parameter or element.
  Change change(const std::string& parameter, std::int64_t element, double eps) const;

 private:
  Tensor filled(const Tensor& like, const std::vector<double>& values) const;
  std::string name_of(const Variable& variable) const;
  std::vector<TracedNode> nodes_of(const Tape& tape) const;
  std::vector<double> response(const TracedNode& node, std::size_t input, std::int64_t element) const;
  double gradient(const TracedNode& node, std::size_t input, std::int64_t element,
                  const std::vector<double>& upstream) const;

  Context& context_;
  Computation computation_;
  std::vector<TracedNode> nodes_;
  double loss_ = 0;
};

}  // namespace umbra::learn

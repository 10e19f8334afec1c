// Optimisers: SGD with momentum, Adam and AdamW, with PyTorch's formulas (engine/ops/optim/sgd.h and adam.h).
#pragma once

#include <memory>

#include "engine/nn/module.h"

namespace umbra {

/// Updates parameters from their gradients.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Updates every parameter that has a gradient by one step with learning rate `lr`, and clears the
  /// gradients: advance() followed by apply().
  void step(Context& context, double lr);
  /// Counts a step and returns the scalars that apply() needs for it. Their number is the same in every step.
  std::vector<double> advance(double lr);
  /// Queues the update of the parameters that have a gradient, and clears the gradients. `scalars` (f64, on
  /// the device) contains what advance() returned. A captured graph of this update can be replayed for
  /// another step after the scalars of that step have been written there.
  void apply(Context& context, const Tensor& scalars);
  /// Number of steps taken so far; part of a checkpoint.
  std::int64_t steps() const { return steps_; }
  /// Restores the number of steps from a checkpoint.
  void set_steps(std::int64_t steps) { steps_ = steps; }
  /// Moments and other state, named after their parameters; part of a checkpoint.
  virtual std::vector<NamedTensor> state() const = 0;

 protected:
  /// An optimiser of these parameters that has taken no step.
  explicit Optimizer(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {}
  /// Scalars of the current step that kernels read from memory (learning rate, bias corrections, weights of
  /// the gradient).
  virtual std::vector<double> scalars(double lr) const = 0;
  /// Queues the update of the parameters with the indices `moving` (at least one), in one call of an op.
  virtual void update(Context& context, const std::vector<std::size_t>& moving, const Tensor& scalars) = 0;

  std::vector<Parameter> parameters_;  ///< in the order of the constructor
  std::int64_t steps_ = 0;             ///< steps taken so far
};

/// Options of SGD: g <- g + weight_decay p; v <- momentum v + (1 - dampening) g; p <- p - lr v, or
/// p - lr (g + momentum v) with Nesterov's momentum. The first step of a parameter is not dampened, even when
/// it is not the first step of the optimiser.
struct SgdOptions {
  double momentum = 0;      ///< 0: plain SGD without velocities
  double weight_decay = 0;  ///< L2 penalty
  double dampening = 0;     ///< has no effect without momentum
  bool nesterov = false;    ///< needs momentum > 0 and dampening = 0, else make_sgd() throws Error
};
/// Stochastic gradient descent with PyTorch's formulas (engine/ops/optim/sgd.h).
std::unique_ptr<Optimizer> make_sgd(std::vector<Parameter> parameters, const SgdOptions& options);

/// Options of Adam (Kingma & Ba 2014) and AdamW (Loshchilov & Hutter 2017). The defaults are those of
/// PyTorch's Adam.
struct AdamOptions {
  double beta1 = 0.9;       ///< decay rate of the mean of the gradient
  double beta2 = 0.999;     ///< decay rate of the mean of its square
  double epsilon = 1e-8;    ///< added to the square root of the second moment
  double weight_decay = 0;  ///< Adam: g <- g + weight_decay p; AdamW: p <- p (1 - lr weight_decay)
  bool decoupled = false;   ///< true: AdamW
};
/// Adam or AdamW with PyTorch's formulas (engine/ops/optim/adam.h).
std::unique_ptr<Optimizer> make_adam(std::vector<Parameter> parameters, const AdamOptions& options);

/// The L2 norm of all gradients together before clipping, f64 [1] on the device. When max_norm > 0 and the
/// norm is finite and exceeds it, every gradient is scaled by max_norm / (norm + 1e-6), as PyTorch's
/// clip_grad_norm_ does. The work is queued; the function does not wait for it.
Tensor gradient_norm(Context& context, const std::vector<Parameter>& parameters, double max_norm);
/// As gradient_norm(), but waits for the norm and returns it.
double clip_gradients(Context& context, const std::vector<Parameter>& parameters, double max_norm);

}  // namespace umbra

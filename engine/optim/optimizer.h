// Optimisers: SGD with momentum, Adam and AdamW with PyTorch's formulas (engine/ops/optim/{sgd,adam}.h).
#pragma once

#include <memory>

#include "engine/nn/module.h"

namespace umbra {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Moves every parameter that has a gradient by one step of size `lr` and forgets the gradients: advance()
  /// and apply().
  void step(Context& context, double lr);
  /// Counts a step and returns the numbers that apply() needs for it: always as many.
  std::vector<double> advance(double lr);
  /// Queues the update of the parameters that have a gradient and forgets the gradients. `scalars` (F64, on
  /// the device) holds what advance() returned: a graph of this update is right for every step before whose
  /// launch they are written there.
  void apply(Context& context, const Tensor& scalars);
  /// Steps taken so far; part of a checkpoint.
  std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }
  /// Moments and the like, named after their parameters; part of a checkpoint.
  virtual std::vector<NamedTensor> state() const = 0;

 protected:
  explicit Optimizer(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {}
  /// Numbers of this step that kernels read from memory (lr, bias corrections, shares of the gradient).
  virtual std::vector<double> scalars(double lr) const = 0;
  /// One call for all these parameters (their numbers in parameters_, at least one).
  virtual void update(Context& context, const std::vector<std::size_t>& moving, const Tensor& scalars) = 0;

  std::vector<Parameter> parameters_;
  std::int64_t steps_ = 0;
};

/// v <- momentum v + (1 - dampening) g, undampened in the first step of a parameter (which need not be the
/// optimiser's); p <- p - lr v, or p - lr (g + momentum v) with Nesterov's momentum.
struct SgdOptions {
  double momentum = 0;
  double weight_decay = 0;
  double dampening = 0;   // without momentum it does nothing
  bool nesterov = false;  // needs momentum, and no dampening: else Error
};
std::unique_ptr<Optimizer> make_sgd(std::vector<Parameter> parameters, const SgdOptions& options);

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled = false;  // AdamW
};
std::unique_ptr<Optimizer> make_adam(std::vector<Parameter> parameters, const AdamOptions& options);

/// The L2 norm of all gradients together (F64 [1], on the device). When it exceeds `max_norm` (and
/// max_norm > 0) every gradient is scaled by max_norm / (norm + 1e-6), as PyTorch's clip_grad_norm_ does,
/// unless the norm is not finite. All of it is queued and nothing waited for; the norm is that before
/// clipping.
Tensor gradient_norm(Context& context, const std::vector<Parameter>& parameters, double max_norm);
/// The same, and waits for the norm.
double clip_gradients(Context& context, const std::vector<Parameter>& parameters, double max_norm);

}  // namespace umbra

// The layers of convolutional networks, with PyTorch's parameter names and default initialisation.
#pragma once

#include "engine/nn/module.h"

namespace umbra {

/// Convolution without bias: weight [Cout, Cin, k, k, k] (rank 3) or [Cout, Cin, k, k] (rank 2). Built for
/// one extent of the input: it decides which taps ever touch data, and only these are read, learnt and kept
/// moments of.
class Conv final : public Module {
 public:
  struct Options {
    int rank = 3;
    std::int64_t in_channels, out_channels, extent, kernel = 3, stride = 1, padding = 0;
  };
  Conv(Build& build, const Options& options);
  Var forward(Pass& pass, const Var& x) override;
  const Var& weight() const { return weight_; }
  /// As a window; its kernel, too, has one entry per axis.
  const Window& window() const { return window_; }
  /// Positions per side of the output.
  std::int64_t out_extent() const { return out_extent_; }

 private:
  Var weight_;
  Window window_;
  std::int64_t out_extent_;
};

/// Batch normalisation of [N, C, S…] or [N, C]: weight, bias, running_mean, running_var, num_batches_tracked.
class BatchNorm final : public Module {
 public:
  BatchNorm(Build& build, std::int64_t channels);
  Var forward(Pass& pass, const Var& x) override;
  /// relu(forward(x) + residual), the residual optional.
  Var forward_relu(Pass& pass, const Var& x, const Var& residual = nullptr);
  /// act(forward(conv.forward(x)) + residual), act being ReLU or nothing, the residual optional: one
  /// operation where nothing is learnt.
  Var forward_conv(Pass& pass, const Conv& conv, const Var& x, bool relu, const Var& residual = nullptr);
  /// max_pool(relu(forward(conv.forward(x)))), the convolution's output never written; x is data.
  Var forward_stem(Pass& pass, const Conv& conv, const Var& x, const Window& pool);
  void replayed() override { ++batches_.values<std::int64_t>()[0]; }

 private:
  void count(const Pass& pass);

  Var weight_, bias_;
  BatchNormState state_;
  Tensor batches_;  // i64 scalar on the host: a count, not arithmetic
};

/// Fully connected: weight [out, in], bias [out].
class Linear final : public Module {
 public:
  Linear(Build& build, std::int64_t in, std::int64_t out);
  Var forward(Pass& pass, const Var& x) override;

 private:
  Var weight_, bias_;
};

/// Modules one after another, named 0, 1, 2, …
class Sequential final : public Module {
 public:
  explicit Sequential(std::vector<std::shared_ptr<Module>> modules);
  Var forward(Pass& pass, const Var& x) override;

 private:
  std::vector<std::shared_ptr<Module>> modules_;
};

}  // namespace umbra

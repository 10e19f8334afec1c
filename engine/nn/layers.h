// The layers of convolutional networks, with PyTorch's parameter names and default initialisation.
#pragma once

#include "engine/nn/module.h"

namespace umbra {

/// A number per spatial axis: one for all, or each by itself.
struct PerAxis {
  PerAxis(std::int64_t all) : axes{all, all, all} {}
  PerAxis(std::int64_t height, std::int64_t width) : axes{1, height, width} {}  // rank 2
  PerAxis(std::int64_t depth, std::int64_t height, std::int64_t width) : axes{depth, height, width} {}
  PerAxis(const Triple& these) : axes(these) {}
  Triple axes;
};

/// Convolution: weight [Cout, Cin / groups, (kD,) kH, kW], bias [Cout] where it is wanted (PyTorch's default
/// is yes; most convolutions here stand before a batch norm, which would undo it). Built for one extent of
/// the input: it decides which taps ever touch data, and only these are read, learnt and kept moments of.
class Conv final : public Module {
 public:
  struct Options {
    int rank = 3;  // spatial dimensions, 2 or 3
    std::int64_t in_channels, out_channels;
    PerAxis extent;  // positions of the input
    PerAxis kernel = 3, stride = 1, padding = 0, dilation = 1;
    std::int64_t groups = 1;
    bool bias = false;
  };
  Conv(Build& build, const Options& options);
  Var forward(Pass& pass, const Var& x) override;
  /// Positions per side of the output (depth, height, width).
  const Triple& out_extents() const { return out_extents_; }

 private:
  friend class BatchNorm;  // which takes a convolution in as one operation
  Var weight_, bias_;      // bias_: null without
  Window window_;
  std::int64_t groups_;
  Triple out_extents_;
};

/// Batch normalisation of [N, C, S…] or [N, C]: weight, bias, running_mean, running_var, num_batches_tracked.
class BatchNorm final : public Module {
 public:
  struct Options {
    double epsilon = 1e-5;  // added to the variance
    double momentum = 0.1;  // share of the newest batch in the running statistics
  };
  BatchNorm(Build& build, std::int64_t channels, const Options& options);
  BatchNorm(Build& build, std::int64_t channels) : BatchNorm(build, channels, Options()) {}
  Var forward(Pass& pass, const Var& x) override;
  /// relu(forward(x) + residual), the residual optional.
  Var forward_relu(Pass& pass, const Var& x, const Var& residual = nullptr);
  /// act(forward(conv.forward(x)) + residual), act being ReLU or nothing, the residual optional: one
  /// operation where nothing is learnt.
  Var forward_conv(Pass& pass, Conv& conv, const Var& x, bool relu, const Var& residual = nullptr);
  /// max_pool(relu(forward(conv.forward(x)))), the convolution's output never written; x is data, and the
  /// convolution has no bias, groups or dilation.
  Var forward_stem(Pass& pass, const Conv& conv, const Var& x, const Window& pool);
  void replayed() override { ++batches_.values<std::int64_t>()[0]; }

 private:
  void count(const Pass& pass);

  Var weight_, bias_;
  BatchNormState state_;
  Tensor batches_;  // i64 scalar on the host: a count, not arithmetic
};

/// Fully connected: weight [out, in], bias [out] unless it is not wanted.
class Linear final : public Module {
 public:
  Linear(Build& build, std::int64_t in, std::int64_t out, bool bias = true);
  Var forward(Pass& pass, const Var& x) override;

 private:
  Var weight_, bias_;  // bias_: null without
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

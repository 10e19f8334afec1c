// The layers of convolutional networks, with PyTorch's parameter names and default initialisation.
#pragma once

#include "engine/nn/module.h"

namespace umbra {

/// A number per spatial axis (depth, height, width).
struct PerAxis {
  /// The same number on every axis.
  PerAxis(std::int64_t all) : axes{all, all, all} {}
  /// Two spatial axes; the depth is 1.
  PerAxis(std::int64_t height, std::int64_t width) : axes{1, height, width} {}
  /// Three spatial axes.
  PerAxis(std::int64_t depth, std::int64_t height, std::int64_t width) : axes{depth, height, width} {}
  /// The numbers of `these`, in the same order.
  PerAxis(const Triple& these) : axes(these) {}
  Triple axes;  ///< depth, height, width
};

/// Convolution with weight [Cout, Cin / groups, (kD,) kH, kW] and, as an option, bias [Cout]. A layer is
/// built for one extent of the input, which determines the taps that ever touch data: only these are read
/// and learnt and have moments.
class Conv final : public Module {
 public:
  /// Size and window of a convolution.
  struct Options {
    int rank = 3;               ///< number of spatial axes, 2 or 3
    std::int64_t in_channels;   ///< Cin, a multiple of `groups`
    std::int64_t out_channels;  ///< Cout, a multiple of `groups`
    PerAxis extent;             ///< positions of the input per axis
    PerAxis kernel = 3;         ///< taps per axis
    PerAxis stride = 1;         ///< positions between neighbouring windows
    PerAxis padding = 0;        ///< zeros added at both ends of the input
    PerAxis dilation = 1;       ///< positions between neighbouring taps
    std::int64_t groups = 1;    ///< an output channel sees only the Cin / groups input channels of its group
    /// Whether there is a bias. PyTorch's default is true; here most convolutions are followed by a batch
    /// norm, which would remove it.
    bool bias = false;
  };
  /// Throws Error when the options do not describe a convolution.
  Conv(Build& build, const Options& options);
  /// x [N, Cin, (D,) H, W] -> [N, Cout, (oD,) oH, oW]; throws Error for another extent than the layer was
  /// built for.
  Var forward(Pass& pass, const Var& x) override;
  /// Positions of the output per axis (depth, height, width).
  const Triple& out_extents() const { return out_extents_; }

 private:
  friend class BatchNorm;  // fuses a convolution with itself
  Var weight_, bias_;      // bias_: null without bias
  Window window_;
  std::int64_t groups_;
  Triple out_extents_;
};

/// Batch normalisation (Ioffe & Szegedy 2015) of [N, C, S…] or [N, C]. Parameters weight and bias [C],
/// buffers running_mean and running_var [C] and num_batches_tracked.
class BatchNorm final : public Module {
 public:
  /// Constants with PyTorch's defaults.
  struct Options {
    double epsilon = 1e-5;  ///< added to the variance
    double momentum = 0.1;  ///< weight of the current batch in the running statistics
  };
  /// Weight and running_var start at 1, bias and running_mean at 0.
  BatchNorm(Build& build, std::int64_t channels, const Options& options);
  /// With the default options.
  BatchNorm(Build& build, std::int64_t channels) : BatchNorm(build, channels, Options()) {}
  /// As batch_norm(): the statistics of the batch in training, else the running statistics.
  Var forward(Pass& pass, const Var& x) override;
  /// relu(forward(x) + residual); `residual` may be null.
  Var forward_relu(Pass& pass, const Var& x, const Var& residual = nullptr);
  /// act(forward(conv.forward(x)) + residual); act is ReLU if `relu`, else the identity; `residual` may be
  /// null. A pass that neither trains nor records runs it as one operation.
  Var forward_conv(Pass& pass, Conv& conv, const Var& x, bool relu, const Var& residual = nullptr);
  /// max_pool(relu(forward(conv.forward(x)))) without writing the output of the convolution. x is data (no
  /// gradient). Throws Error for a convolution with bias, groups or dilation.
  Var forward_stem(Pass& pass, const Conv& conv, const Var& x, const Window& pool);
  /// Counts the batch of a replayed pass.
  void replayed() override { ++batches_.values<std::int64_t>()[0]; }

 private:
  void count(const Pass& pass);

  Var weight_, bias_;
  BatchNormState state_;
  Tensor batches_;  // i64 scalar on the host: a count, not arithmetic
};

/// Fully connected layer x weightᵀ + bias with weight [out, in] and, unless switched off, bias [out].
class Linear final : public Module {
 public:
  /// A layer from `in` to `out` features. Weights and bias start uniform within default_bound(in) times `scale`.
  Linear(Build& build, std::int64_t in, std::int64_t out, bool bias = true, double scale = 1);
  /// x [N, in] -> [N, out]
  Var forward(Pass& pass, const Var& x) override;

 private:
  Var weight_, bias_;  // bias_: null without bias
};

/// Modules applied one after another. Their names are 0, 1, 2, …
class Sequential final : public Module {
 public:
  /// Shares ownership of the modules, which run in this order.
  explicit Sequential(std::vector<std::shared_ptr<Module>> modules);
  /// The output of the last module.
  Var forward(Pass& pass, const Var& x) override;

 private:
  std::vector<std::shared_ptr<Module>> modules_;
};

}  // namespace umbra

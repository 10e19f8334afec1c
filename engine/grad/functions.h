// The differentiable operations. Each is a pure function of its Vars and the Pass; shapes are checked here,
// with sentences, so that kernels need not. Activations are [N, C, spatial…] with two or three spatial axes;
// convolutions and pools take either layout (engine/tensor/layout.h) and return batch-last, rows [N, K] for
// linear layers and losses are row-major. What is in the other layout is rearranged on the way in.
#pragma once

#include "engine/grad/tape.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/loss/reduction.h"
#include "engine/ops/reduce/reduce_axes.h"

namespace umbra {

/// Stride, padding and dilation per spatial axis (depth, height, width; for 2-D the first is ignored).
struct Window {
  Triple kernel{1, 1, 1};
  Triple stride{1, 1, 1};
  Triple padding{0, 0, 0};
  Triple dilation{1, 1, 1};
  bool ceil = false;  // pools only: PyTorch's ceil_mode, with windows that hang over the end of the input
};
/// The same number on every axis.
Window cubic_window(std::int64_t kernel, std::int64_t stride, std::int64_t padding);

/// The same numbers in the other layout; x itself where it already has it.
Var to_batch_last(Pass& pass, const Var& x);
Var to_row_major(Pass& pass, const Var& x);

/// Convolution weights and what of them can change: a layout with the taps that touch data for inputs of this
/// extent in front of those that never do (dead taps), and one of the former alone. Batch and channels do not
/// matter, dilation does.
struct WeightLayouts {
  Layout value, grad;
  /// Weights may be laid out as `value`, or as `grad` where nothing is learnt.
  bool fit(const Tensor& weights) const { return weights.layout() == value || weights.layout() == grad; }
};
WeightLayouts conv_weight_layouts(const ConvGeometry& geometry);

/// x [N, Cin, (D,) H, W], w [Cout, Cin / groups, (kD,) kH, kW] in the layout conv_weight_layouts() gives for
/// this input
/// -> [N, Cout, (oD,) oH, oW]. The gradient of w has the other layout of that function. With `groups` output
/// channels see the input channels of their own group alone (groups = Cin: depthwise).
Var conv(Pass& pass, const Var& x, const Var& w, const Triple& stride, const Triple& padding,
         const Triple& dilation = {1, 1, 1}, std::int64_t groups = 1);
/// x [N, C, S…] + bias [C], in either layout
Var add_bias(Pass& pass, const Var& x, const Var& bias);
/// x [N, C, (D,) H, W] -> [N, C, (oD,) oH, oW]; padding is at most half the kernel
Var max_pool(Pass& pass, const Var& x, const Window& window);
/// The same with the mean of every window, which has no dilation; positions of the padding count as zeros or,
/// without count_padding, not at all. What hangs over the padded input never counts.
Var average_pool(Pass& pass, const Var& x, const Window& window, bool count_padding = true);
/// x [N, C, S…] -> [N, C], the mean over all spatial positions
Var mean_pool(Pass& pass, const Var& x);

struct BatchNormState {
  Tensor running_mean, running_var;  // [C]; updated by every training pass
  double momentum = 0.1;
  double epsilon = 1e-5;
};
/// x [N, C, S…] or [N, C]: batch statistics when pass.training (at least two values per channel), else
/// running ones, which stay as they are and count as constants in the gradient of x, gamma and beta. Works in
/// either layout.
Var batch_norm(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state);
/// relu(batch_norm(x) + residual) in one pass; residual may be null.
Var batch_norm_relu(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state,
                    const Var& residual = nullptr);
/// act(batch_norm(conv(x, w)) + residual) with running statistics as one operation; act is ReLU or nothing,
/// residual may be null. Only for a pass that neither trains nor records. The weights may be held as bf16
/// (with the layout `grad`): both operands are then rounded, whatever the context's precision.
Var conv_inference(Pass& pass, const Var& x, const Var& w, const Var& gamma, const Var& beta,
                   const BatchNormState& state, const Triple& stride, const Triple& padding, bool relu,
                   const Var& residual = nullptr, const Triple& dilation = {1, 1, 1},
                   std::int64_t groups = 1);
/// max_pool(relu(batch_norm(conv(x, w)))) without writing the convolution's output: the stem of a network
/// whose input x is data (no gradient). x is row-major.
struct StemWindows {
  Window conv, pool;  // the convolution's kernel is the weights'
};
Var stem(Pass& pass, const Var& x, const Var& w, const Var& gamma, const Var& beta,
         const BatchNormState& state, const StemWindows& windows);

// Any shape, either layout.
Var relu(Pass& pass, const Var& x);
Var sigmoid(Pass& pass, const Var& x);
Var tanh(Pass& pass, const Var& x);
/// a and b have one shape and one layout.
Var add(Pass& pass, const Var& a, const Var& b);
/// a * b, element by element; both have one shape, and y has the layout of a.
Var mul(Pass& pass, const Var& a, const Var& b);

// Along axes. An axis may be counted from the back, as -1, -2, …; what comes out is row-major.
/// exp(x) / sum of exp(x) along the axis, and its logarithm; large numbers do not overflow.
Var softmax(Pass& pass, const Var& x, int axis);
Var log_softmax(Pass& pass, const Var& x, int axis);
/// The sum, mean, maximum or minimum over `axes`, over all where none is given. Those axes disappear from the
/// shape, or with keep_axes stay with extent 1; where none is left it is [1]. The gradient of a maximum is
/// shared equally among the terms that reach it; a NaN among the terms is the result.
Var reduce_axes(Pass& pass, const Var& x, AxisReduction how, std::vector<int> axes, bool keep_axes = false);
/// The parts one behind the other along the axis, in which alone their shapes may differ.
Var concatenate(Pass& pass, const std::vector<Var>& parts, int axis);

/// x [N, K], w [M, K], b [M] or null -> [N, M]
Var linear(Pass& pass, const Var& x, const Var& w, const Var& b);
/// Zeroes elements with probability p while training, scales the others by 1 / (1 - p).
Var dropout(Pass& pass, const Var& x, double p);
/// The same numbers under another shape.
Var reshape(Pass& pass, const Var& x, const Shape& shape);
/// [N, …] -> [N, K]
Var flatten(Pass& pass, const Var& x);
/// y[n, b] = scale[b] x[n, b] + shift[b] with constant scale and shift [B]
Var affine(Pass& pass, const Var& x, const Tensor& scale, const Tensor& shift);

// Losses: one element each, unless they are not reduced. Targets are data; no gradient flows into them.

/// prediction and target [N, K] -> [1], or with kNone [N, K]
Var mean_squared_error(Pass& pass, const Var& prediction, const Tensor& target,
                       Reduce reduce = Reduce::kMean);
/// As those of torch.nn.functional.cross_entropy.
struct CrossEntropyOptions {
  Tensor class_weights{};            // [K], or none: all 1
  std::int64_t ignore_index = -100;  // rows of this label do not count: loss 0, gradient 0
  double label_smoothing = 0;        // in [0, 1]
  Reduce reduce = Reduce::kMean;     // a mean divides by the sum of the counted labels' weights
};
/// logits [N, K], labels i32 [N] -> [1], or with kNone [N]. A label that is neither a class nor ignore_index
/// makes its row's loss NaN, and with it the mean and the sum; so does a mean in which no row counts.
Var softmax_cross_entropy(Pass& pass, const Var& logits, const Tensor& labels,
                          const CrossEntropyOptions& options = {});
Var chi2_linear(Pass& pass, const Var& phi, const Tensor& target,
                const Tensor& sigma);  // [N, B], [N, B], [B]
Var chi2_log(Pass& pass, const Var& phi, const Tensor& target, const Tensor& sigma_dex, double floor);

}  // namespace umbra

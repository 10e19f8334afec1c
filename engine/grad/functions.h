// The differentiable operations. Each is a pure function of its Vars and the Pass. All shapes are checked
// here: a function throws Error when they do not match, so that kernels need no checks. Activations are
// [N, C, spatial…] with two or three spatial axes. Convolutions and pools accept either layout
// (engine/tensor/layout.h) and return batch-last; linear layers and losses use row-major rows [N, K]. An
// input in the other layout is transposed first.
#pragma once

#include "engine/grad/tape.h"
#include "engine/ops/conv/op.h"
#include "engine/ops/loss/reduction.h"
#include "engine/ops/reduce/reduce_axes.h"

namespace umbra {

/// A sliding window per spatial axis (depth, height, width). For two spatial axes the first entry is ignored.
struct Window {
  Triple kernel{1, 1, 1};    ///< taps per axis
  Triple stride{1, 1, 1};    ///< positions between neighbouring windows
  Triple padding{0, 0, 0};   ///< positions added at both ends of the input
  Triple dilation{1, 1, 1};  ///< positions between neighbouring taps
  bool ceil = false;         ///< pools only: PyTorch's ceil_mode, where a window may exceed the padded input
};
/// A window without dilation that is the same on every axis.
Window cubic_window(std::int64_t kernel, std::int64_t stride, std::int64_t padding);

/// x in batch-last layout; x itself when it already has it.
Var to_batch_last(Pass& pass, const Var& x);
/// x in row-major layout; x itself when it already has it.
Var to_row_major(Pass& pass, const Var& x);

/// Layouts of the weights of a convolution over inputs of one extent. A tap that only ever meets padding is
/// dead: its weights never change the output and their gradient is zero.
struct WeightLayouts {
  Layout value;  ///< of the weights: the taps that touch data, then the dead ones
  Layout grad;   ///< of their gradients and moments: only the taps that touch data
  /// Whether `weights` have the layout `value`, or `grad`, which suffices for inference.
  bool fit(const Tensor& weights) const { return weights.layout() == value || weights.layout() == grad; }
};
/// The layouts for a convolution. They depend on the extents, kernel, stride, padding and dilation, not on
/// batch and channels.
WeightLayouts conv_weight_layouts(const ConvGeometry& geometry);

/// Convolution: x [N, Cin, (D,) H, W], w [Cout, Cin / groups, (kD,) kH, kW] -> [N, Cout, (oD,) oH, oW].
/// w has the layout WeightLayouts::value that conv_weight_layouts() returns for this input, and its gradient
/// has WeightLayouts::grad. With `groups`, an output channel sees only the input channels of its group
/// (groups = Cin: depthwise). A tape keeps what was read: until backward() is done, the values must not be
/// written, or gradients and further convolutions of x would have a part of the old numbers.
Var conv(Pass& pass, const Var& x, const Var& w, const Triple& stride, const Triple& padding,
         const Triple& dilation = {1, 1, 1}, std::int64_t groups = 1);
/// x [N, C, S…] + bias [C] -> [N, C, S…], in either layout.
Var add_bias(Pass& pass, const Var& x, const Var& bias);
/// Maximum over every window: x [N, C, (D,) H, W] -> [N, C, (oD,) oH, oW]. Padding is at most half the
/// kernel.
Var max_pool(Pass& pass, const Var& x, const Window& window);
/// Mean over every window, which has no dilation: x [N, C, (D,) H, W] -> [N, C, (oD,) oH, oW]. Padding
/// counts as zeros or, without count_padding, not at all. Positions beyond the padded input never count.
Var average_pool(Pass& pass, const Var& x, const Window& window, bool count_padding = true);
/// Mean over all spatial positions: x [N, C, S…] -> [N, C].
Var mean_pool(Pass& pass, const Var& x);

/// Statistics and constants of a batch norm.
struct BatchNormState {
  Tensor running_mean;    ///< [C], updated by every training pass
  Tensor running_var;     ///< [C], unbiased; updated by every training pass
  double momentum = 0.1;  ///< weight of the current batch in the running statistics
  double epsilon = 1e-5;  ///< added to the variance
};
/// Batch normalisation (Ioffe & Szegedy 2015) of x [N, C, S…] or [N, C] with gamma, beta [C], in either
/// layout. When pass.training it uses the statistics of the batch, which needs at least two values per
/// channel: those of the whole batch if pass.shared names the processes that share it, else those of x.
/// Otherwise it uses the running statistics, which are not updated and are constants in the
/// gradient.
Var batch_norm(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state);
/// relu(batch_norm(x) + residual) in one pass. `residual` may be null.
Var batch_norm_relu(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state,
                    const Var& residual = nullptr);
/// act(batch_norm(conv(x, w)) + residual) with running statistics as one operation; act is ReLU if `relu`,
/// else the identity; `residual` may be null. Throws Error for a pass that trains or records. The weights
/// may be bf16 in the layout WeightLayouts::grad: both operands are then rounded to bf16, whatever the
/// precision of the context.
Var conv_inference(Pass& pass, const Var& x, const Var& w, const Var& gamma, const Var& beta,
                   const BatchNormState& state, const Triple& stride, const Triple& padding, bool relu,
                   const Var& residual = nullptr, const Triple& dilation = {1, 1, 1},
                   std::int64_t groups = 1);
/// The two windows of stem(), without dilation and ceil.
struct StemWindows {
  Window conv;  ///< stride and padding of the convolution; its kernel is that of the weights
  Window pool;  ///< the max pooling
};
/// max_pool(relu(batch_norm(conv(x, w)))) without writing the output of the convolution: the first layers
/// of a network whose input x [N, Cin, D, H, W] is data (row-major, without gradient). w is
/// [Cout, Cin, kD, kH, kW]. A pass that records with running statistics runs them one by one.
Var stem(Pass& pass, const Var& x, const Var& w, const Var& gamma, const Var& beta,
         const BatchNormState& state, const StemWindows& windows);

/// max(x, 0), element by element; any shape and layout.
Var relu(Pass& pass, const Var& x);
/// 1 / (1 + exp(-x)), element by element; any shape and layout.
Var sigmoid(Pass& pass, const Var& x);
/// tanh(x), element by element; any shape and layout.
Var tanh(Pass& pass, const Var& x);
/// exp(x), element by element; any shape and layout.
Var exp(Pass& pass, const Var& x);
/// x sigmoid(x), element by element; any shape and layout. Elfwing et al. 2018 (arXiv:1702.03118).
Var silu(Pass& pass, const Var& x);
/// a + b, element by element; both have the same shape and layout.
Var add(Pass& pass, const Var& a, const Var& b);
/// a * b, element by element; both have the same shape. The result has the layout of a.
Var mul(Pass& pass, const Var& a, const Var& b);

// The functions below work along axes. An axis may be counted from the end, as -1, -2, …; results are
// row-major.

/// exp(x) / sum of exp(x) along the axis. Large numbers do not overflow.
Var softmax(Pass& pass, const Var& x, int axis);
/// The logarithm of softmax(x) along the axis, computed without overflow.
Var log_softmax(Pass& pass, const Var& x, int axis);
/// The sum, mean, maximum or minimum over `axes`, or over all axes when none is given. The reduced axes are
/// removed from the shape, or have extent 1 with keep_axes; a shape without axes becomes [1]. Terms that are
/// equal to a maximum or minimum share its gradient equally. A NaN among the terms makes the result a NaN.
Var reduce_axes(Pass& pass, const Var& x, AxisReduction how, const std::vector<int>& axes,
                bool keep_axes = false);
/// x repeated along a new axis in front of `axis`: x [A, C], axis 1, extent B -> [A, B, C]. The adjoint is the sum over
/// that axis.
Var expand(Pass& pass, const Var& x, int axis, std::int64_t extent);
/// The parts joined along the axis. Their shapes may differ only there.
Var concatenate(Pass& pass, const std::vector<Var>& parts, int axis);
/// x, which is data without gradient, cut along the axis into parts of these extents. Throws Error unless their
/// sum is the extent of the axis.
std::vector<Var> split(Pass& pass, const Var& x, const std::vector<std::int64_t>& extents, int axis);

/// Fully connected layer x wᵀ + b: x [N, K], w [M, K], b [M] or null -> [N, M].
Var linear(Pass& pass, const Var& x, const Var& w, const Var& b);
/// When pass.training, sets elements to zero with probability p and scales the others by 1 / (1 - p);
/// otherwise returns x. Throws Error unless p is in [0, 1).
Var dropout(Pass& pass, const Var& x, double p);
/// x with another shape of the same count. Throws Error unless x is row-major.
Var reshape(Pass& pass, const Var& x, const Shape& shape);
/// Row-major rows: x [N, …] -> [N, K].
Var flatten(Pass& pass, const Var& x);
/// scale[b] x[n, b] + shift[b] for x [N, B] and constants scale, shift [B].
Var affine(Pass& pass, const Var& x, const Tensor& scale, const Tensor& shift);

/// Labels of classes, i32, from the floats that a target holds.
Tensor to_labels(Context& context, const Tensor& x);

// Losses have one element unless they are not reduced. Targets are data and receive no gradient.

/// (prediction - target)², averaged or summed over all elements: both [N, K] -> [1], or [N, K] with
/// Reduce::kNone.
Var mean_squared_error(Pass& pass, const Var& prediction, const Tensor& target,
                       Reduce reduce = Reduce::kMean);
/// Options with the meaning they have in torch.nn.functional.cross_entropy.
struct CrossEntropyOptions {
  Tensor class_weights{};            ///< [K]; undefined: all 1
  std::int64_t ignore_index = -100;  ///< rows with this label have loss 0 and gradient 0
  double label_smoothing = 0;        ///< in [0, 1]
  Reduce reduce = Reduce::kMean;     ///< a mean divides by the sum of the weights of the labels that count
};
/// Cross-entropy of softmax(logits): logits [N, K], labels i32 [N] -> [1], or [N] with Reduce::kNone. A
/// label that is neither a class nor ignore_index makes the loss of its row NaN, and so the mean and the
/// sum. The mean is also NaN when no row counts.
Var softmax_cross_entropy(Pass& pass, const Var& logits, const Tensor& labels,
                          const CrossEntropyOptions& options = {});
/// Chi² of Nadler & To (2018) as their code computes it: the sum over bins, averaged over boxes, of
/// ((phi - target) / sigma)². phi and target are mass functions [N, B], sigma [B] their errors in the same
/// units -> [1].
Var chi2_linear(Pass& pass, const Var& phi, const Tensor& target, const Tensor& sigma);
/// Chi² of Nadler & To (2018), Eq. (1): the mean over boxes and bins of the squared difference of
/// log10 phi and log10 target in units of sigma_dex. phi and target are [N, B], sigma_dex [B] -> [1]. Below
/// `floor` (> 0, else Error) log10 phi continues as its tangent and target is replaced by `floor`.
Var chi2_log(Pass& pass, const Var& phi, const Tensor& target, const Tensor& sigma_dex, double floor);
/// Negative log likelihood of Poisson counts: the sum over bins, averaged over boxes, of mu - k log mu with the
/// expected number mu = exposure phi and the observed number k = exposure target. phi and target are mass functions
/// [N, B], `exposure` (> 0, else Error) the number of galaxies of a bin of a box with phi = 1 -> [1]. The
/// constant log k! is left out. Below mu = 1e-20 log mu continues as its tangent, so that phi = 0 has a finite
/// loss and gradient.
Var poisson(Pass& pass, const Var& phi, const Tensor& target, double exposure);

}  // namespace umbra

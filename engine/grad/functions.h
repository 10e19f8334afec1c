// The differentiable operations. Each is a pure function of its Vars and the Pass; shapes are checked here,
// with sentences, so that kernels need not. Activations are [N, C, spatial…] with two or three spatial axes;
// convolutions and pools take either layout (engine/tensor/layout.h) and return batch-last, rows [N, K] for
// linear layers and losses are row-major. What is in the other layout is rearranged on the way in.
#pragma once

#include "engine/grad/tape.h"
#include "engine/ops/conv/op.h"

namespace umbra {

/// Stride and padding per spatial axis (depth, height, width; for 2-D the first is ignored).
struct Window {
  Triple kernel{1, 1, 1};
  Triple stride{1, 1, 1};
  Triple padding{0, 0, 0};
};
/// The same number on every axis.
Window cubic_window(std::int64_t kernel, std::int64_t stride, std::int64_t padding);

/// The same numbers in the other layout; x itself where it already has it.
Var to_batch_last(Pass& pass, const Var& x);
Var to_row_major(Pass& pass, const Var& x);

/// Convolution weights and what of them can change: a layout with the taps that touch data for inputs of this
/// extent in front of those that never do (dead taps), and one of the former alone.
struct WeightLayouts {
  Layout value, grad;
  /// Weights may be laid out as `value`, or as `grad` where nothing is learnt.
  bool fit(const Tensor& weights) const { return weights.layout() == value || weights.layout() == grad; }
};
WeightLayouts conv_weight_layouts(const ConvGeometry& geometry);

/// x [N, Cin, (D,) H, W], w [Cout, Cin, (kD,) kH, kW] in the layout conv_weight_layouts() gives for this
/// input
/// -> [N, Cout, (oD,) oH, oW]. The gradient of w has the other layout of that function.
Var conv(Pass& pass, const Var& x, const Var& w, const Triple& stride, const Triple& padding);
/// x [N, C, S…] + bias [C], in either layout
Var add_bias(Pass& pass, const Var& x, const Var& bias);
/// x [N, C, (D,) H, W] -> [N, C, (oD,) oH, oW]
Var max_pool(Pass& pass, const Var& x, const Window& window);
/// x [N, C, S…] -> [N, C], the mean over all spatial positions
Var mean_pool(Pass& pass, const Var& x);

struct BatchNormState {
  Tensor running_mean, running_var;  // [C]; updated by every training pass
  double momentum = 0.1;
  double epsilon = 1e-5;
};
/// x [N, C, S…] or [N, C]: batch statistics when pass.training (at least two values per channel), else
/// running ones. With running statistics no gradient is provided: a network is trained in training mode.
/// Works in either layout.
Var batch_norm(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state);
/// relu(batch_norm(x) + residual) in one pass; residual may be null.
Var batch_norm_relu(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state,
                    const Var& residual = nullptr);
/// act(batch_norm(conv(x, w)) + residual) with running statistics as one operation; act is ReLU or nothing,
/// residual may be null. Only for a pass that neither trains nor records. The weights may be held as bf16
/// (with the layout `grad`): both operands are then rounded, whatever the context's precision.
Var conv_inference(Pass& pass, const Var& x, const Var& w, const Var& gamma, const Var& beta,
                   const BatchNormState& state, const Triple& stride, const Triple& padding, bool relu,
                   const Var& residual = nullptr);
/// max_pool(relu(batch_norm(conv(x, w)))) without writing the convolution's output: the stem of a network
/// whose input x is data (no gradient). x is row-major.
struct StemWindows {
  Window conv, pool;  // the convolution's kernel is the weights'
};
Var stem(Pass& pass, const Var& x, const Var& w, const Var& gamma, const Var& beta,
         const BatchNormState& state, const StemWindows& windows);

Var relu(Pass& pass, const Var& x);
Var add(Pass& pass, const Var& a, const Var& b);
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

// Losses: one element each. Targets are data; no gradient flows into them.
Var mean_squared_error(Pass& pass, const Var& prediction, const Tensor& target);  // [N, K], [N, K]
Var softmax_cross_entropy(Pass& pass, const Var& logits, const Tensor& labels);   // [N, K], i32 [N]
Var chi2_linear(Pass& pass, const Var& phi, const Tensor& target,
                const Tensor& sigma);  // [N, B], [N, B], [B]
Var chi2_log(Pass& pass, const Var& phi, const Tensor& target, const Tensor& sigma_dex, double floor);

}  // namespace umbra

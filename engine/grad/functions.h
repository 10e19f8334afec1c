// The differentiable operations. Each is a pure function of its Vars and the Pass; shapes are checked here,
// with sentences, so that kernels need not. Activations are [N, C, spatial…] with two or three spatial axes.
#pragma once

#include "engine/grad/tape.h"
#include "engine/ops/op.h"

namespace umbra {

/// Stride and padding per spatial axis (depth, height, width; for 2-D the first is ignored).
struct Window {
  Triple kernel{1, 1, 1};
  Triple stride{1, 1, 1};
  Triple padding{0, 0, 0};
};
/// The same number on every axis.
Window cubic_window(std::int64_t kernel, std::int64_t stride, std::int64_t padding);

/// x [N, Cin, (D,) H, W], w [Cout, Cin, (kD,) kH, kW] -> [N, Cout, (oD,) oH, oW]
Var conv(Pass& pass, const Var& x, const Var& w, const Triple& stride, const Triple& padding);
/// x [N, C, S…] + bias [C]
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
Var batch_norm(Pass& pass, const Var& x, const Var& gamma, const Var& beta, const BatchNormState& state);

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

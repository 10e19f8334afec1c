// The stem of a residual network on volumes as one op: convolution, batch norm, ReLU and max-pooling, without
// ever storing the convolution's output as a whole (86 MB for 32 boxes of 25^3 and 200 channels):
//
//   z[n, c, o] = sum over t, ci of  w[t, ci, c] * x[n, ci, o * stride - padding + t]   (x = 0 outside)
//   a          = relu(gamma (z - mean) invstd + beta)
//   y[q, c, n] = max over the pooling window of q of  a[n, c, ·]            (padding is never the maximum)
//
// Training: mean_c and var_c (biased) over all N * O values of z; invstd = 1 / sqrt(var + epsilon); the
// running statistics are updated with `momentum` (and the unbiased variance). Inference: the running
// statistics.
// Conventions are PyTorch's, as in engine/ops/batch_norm and engine/ops/pool. A 2-D stem is the 3-D one with
// extents 1.
//
// The statistics of z need no pass over z: with P the vector of the K = taps * Cin inputs under the
// filter at one of the N * O outputs, z_c = w_c . P, hence
//
//   mean_c = w_c . mu,   var_c = w_c' S w_c,   mu = mean of P,   S = covariance of P,
//
// where mu and S do not depend on the weights. The gradient of the weights, with dz the gradient of gamma
// xhat + beta (nonzero only at the winners of the pooling), is
//
//   dw[k, c] = gamma invstd (sum dz P_k - (sum dz) mu_k - (sum dz xhat) mean of xhat P_k),
//   mean of xhat P_k = invstd ((S w_c)_k + (w_c . mu - mean_c) mu_k),
//   sum dz xhat = invstd (w_c . (sum dz P) - mean_c sum dz).
//
// There is no gradient of x: it is data.
//
// Memory. x is sample first, [N][Cin][D][H][W], as a loader delivers it. w is [live tap][Cin][C]: only taps
// that touch data for at least one output are in memory, in ascending row-major order; k = live tap * Cin +
// ci. y is batch last, [pooled position][channel][sample]. patch_mean [K] and patch_cov [K][K] are double
// for either dtype. Only these ops interpret `winner`: one byte per element of y in the order of y, four to
// an i32 word, the last word filled with zeros. A byte is the row-major index of the winning tap in the
// pooling window (the first of equals), or kNoWinner where no gradient passes because y is not > 0.
#pragma once

#include <array>

#include "engine/ops/op.h"

namespace umbra {

inline constexpr std::int64_t kMaxStemKernel = 16;  // extent of the convolution's kernel on one axis
inline constexpr std::uint8_t kNoWinner = 255;      // so a pooling window has at most 255 taps

/// The convolution on one axis: which taps touch data.
struct StemAxis {
  StemAxis(std::int64_t in_, std::int64_t kernel_, std::int64_t stride_, std::int64_t padding_);

  /// Input coordinate of tap 0 of output o; outside [0, in) is padding.
  std::int64_t start(std::int64_t o) const { return o * stride - padding; }
  /// The taps of output o that touch data: [first_tap, last_tap), empty outside [live_begin, live_end).
  std::int64_t first_tap(std::int64_t o) const { return start(o) < 0 ? -start(o) : 0; }
  std::int64_t last_tap(std::int64_t o) const {
    const std::int64_t rest = in - start(o);
    return rest < kernel ? rest : kernel;
  }

  std::int64_t in, kernel, stride, padding, out;
  std::int64_t live_begin, live_end;                // outputs that read any data
  std::int64_t live_taps;                           // taps that touch data for any output
  std::array<std::int64_t, kMaxStemKernel> rank{};  // of a live tap among the live ones; -1 for dead taps
};

/// The taps [begin, end) of a pooling window that lie inside its input, and the position of tap 0.
struct StemWindow {
  std::int64_t start, begin, end;
};

struct StemGeometry {
  std::int64_t batch = 1, in_channels = 1, channels = 1;
  Triple in{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0};
  Triple pool{1, 1, 1}, pool_stride{1, 1, 1}, pool_padding{0, 0, 0};

  StemAxis axis(int a) const;
  StemWindow window(int a, std::int64_t q) const;
  std::int64_t conv_out(int a) const;
  std::int64_t pool_out(int a) const;
  std::int64_t in_volume() const { return in[0] * in[1] * in[2]; }
  std::int64_t conv_volume() const { return conv_out(0) * conv_out(1) * conv_out(2); }
  std::int64_t pool_volume() const { return pool_out(0) * pool_out(1) * pool_out(2); }
  std::int64_t pool_taps() const { return pool[0] * pool[1] * pool[2]; }
  std::int64_t live_taps() const { return axis(0).live_taps * axis(1).live_taps * axis(2).live_taps; }
  /// K: numbers in a patch.
  std::int64_t patch() const { return live_taps() * in_channels; }
  /// Elements of y.
  std::int64_t pooled() const { return pool_volume() * channels * batch; }
  std::int64_t winner_words() const { return (pooled() + 3) / 4; }
  /// (convolution output, tap) pairs that touch data.
  double live_pairs() const;
  /// Throws Error unless extents are positive, kernels fit, no output is empty and a winner fits a byte.
  void check() const;
  std::string text() const;
};

class StemOp : public Op {
 public:
  StemOp(DType type, const StemGeometry& g) : Op(type), geometry(g) {}
  std::string text() const override { return geometry.text(); }
  StemGeometry geometry;

 protected:
  BufferSpec of_x() const;
  BufferSpec of_w(std::string_view name, Access access) const;
  BufferSpec of_y(std::string_view name, Access access) const;
  BufferSpec of_channels(std::string_view name, Access access, Fill fill = Fill::kAny) const;
  double conv_flops() const;
};

class Stem3dForward final : public StemOp {
 public:
  Stem3dForward(DType type, const StemGeometry& g, double epsilon_, double momentum_)
      : StemOp(type, g), epsilon(epsilon_), momentum(momentum_) {}
  static constexpr std::string_view kName = "stem3d_forward";
  std::string_view name() const override { return kName; }
  /// x, w, gamma, beta, running_mean, running_var -> y, winner, mean, invstd, patch_mean, patch_cov
  std::vector<BufferSpec> buffers() const override;
  double flops() const override;  // of the convolution, one comparison per pooled tap
  double sum_length() const override;

  double epsilon;
  double momentum;
};

/// Why there is no variance for training; empty when there is one.
std::string stem_needs_two_values(const Stem3dForward& op);

class Stem3dInference final : public StemOp {
 public:
  Stem3dInference(DType type, const StemGeometry& g, double epsilon_) : StemOp(type, g), epsilon(epsilon_) {}
  static constexpr std::string_view kName = "stem3d_inference";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override;  // x, w, gamma, beta, running_mean, running_var -> y
  double flops() const override;
  double sum_length() const override;

  double epsilon;
};

class Stem3dBackward final : public StemOp {
 public:
  using StemOp::StemOp;
  static constexpr std::string_view kName = "stem3d_backward";
  std::string_view name() const override { return kName; }
  /// dy, x, w, gamma, mean, invstd, winner, patch_mean, patch_cov -> dw, dgamma, dbeta
  std::vector<BufferSpec> buffers() const override;
  double flops() const override;  // of the convolution's weight gradient
  double sum_length() const override;
};

}  // namespace umbra

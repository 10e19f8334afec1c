// The equations of op.h one by one: a block per entry of the patches' mean and covariance, a thread per
// channel for its statistics, a thread per element of y that computes every output of the convolution in
// its window, and backward a block per weight that iterates over all winners. Outputs are computed up to
// eight times and inputs are read repeatedly; the convolution's output is never in memory.
#include "engine/cuda/tile/block_fold.h"
#include "engine/cuda/tile/indexing.h"
#include "engine/ops/kernel.h"
#include "engine/ops/stem/cuda_stem.h"

namespace umbra {
namespace {

constexpr unsigned kSumThreads = 64;

/// The tap and input channel of number k of a patch.
struct PatchTap {
  int d, h, w, channel;
};
__device__ PatchTap patch_tap(const StemView& v, int k) {
  const int slot = k / v.in_channels, wide = v.axis[2].live_taps, rows = v.axis[1].live_taps;
  return {v.axis[0].tap[slot / (wide * rows)], v.axis[1].tap[slot / wide % rows], v.axis[2].tap[slot % wide],
          k % v.in_channels};
}

/// The input of sample n under tap t of output (od, oh, ow); zero in the padding.
__device__ float input_at(const StemView& v, const float* x, PatchTap t, std::int64_t n, int od, int oh,
                          int ow) {
  const int d = v.axis[0].start(od) + t.d, h = v.axis[1].start(oh) + t.h, w = v.axis[2].start(ow) + t.w;
  if (d < 0 || d >= v.axis[0].in || h < 0 || h >= v.axis[1].in || w < 0 || w >= v.axis[2].in) return 0;
  return x[(((n * v.in_channels + t.channel) * v.axis[0].in + d) * v.axis[1].in + h) * v.axis[2].in + w];
}

/// The same for output i of all samples' outputs.
__device__ double input_at(const StemView& v, const float* x, PatchTap t, std::int64_t i) {
  const int width = v.axis[2].out, height = v.axis[1].out, depth = v.axis[0].out;
  const int ow = static_cast<int>(i % width), oh = static_cast<int>(i / width % height);
  const std::int64_t planes = i / width / height;
  return static_cast<double>(input_at(v, x, t, planes / depth, static_cast<int>(planes % depth), oh, ow));
}

__global__ void patch_mean_each(StemView v, const float* x, double* mu) {
  double* scratch = &shared_memory<double>();
  const int k = static_cast<int>(blockIdx.x);
  const PatchTap tap = patch_tap(v, k);
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < v.outputs; i += kSumThreads) sum += input_at(v, x, tap, i);
  sum = block_sum(sum, scratch);
  if (threadIdx.x == 0) mu[k] = sum / static_cast<double>(v.outputs);
}

__global__ void patch_cov_each(StemView v, const float* x, const double* mu, double* cov) {
  double* scratch = &shared_memory<double>();
  const int k = static_cast<int>(blockIdx.x), l = static_cast<int>(blockIdx.y);
  if (l < k) return;
  const PatchTap a = patch_tap(v, k), b = patch_tap(v, l);
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < v.outputs; i += kSumThreads)
    sum += (input_at(v, x, a, i) - mu[k]) * (input_at(v, x, b, i) - mu[l]);
  sum = block_sum(sum, scratch);
  if (threadIdx.x == 0) cov[k * v.patch + l] = cov[l * v.patch + k] = sum / static_cast<double>(v.outputs);
}

__global__ void channel_statistics_each(StemView v, const float* w, const double* mu, const double* cov,
                                        StemMoments moments) {
  const int c = static_cast<int>(thread_number());
  if (c >= v.channels) return;
  double variance = 0;
  for (int k = 0; k < v.patch; ++k) {
    variance += static_cast<double>(w[k * v.channels + c]) * stem_cov_dot(v.patch, v.channels, w, c, cov, k);
  }
  moments.set(c, stem_dot(v.patch, v.channels, w, c, mu), variance);
}

__global__ void inverse_each(const float* var, float* invstd, int channels, double epsilon) {
  const int c = static_cast<int>(thread_number());
  if (c < channels) invstd[c] = static_cast<float>(1 / sqrt(static_cast<double>(var[c]) + epsilon));
}

/// Output (od, oh, ow) of the convolution.
__device__ float convolve(const StemView& v, const float* x, const float* w, std::int64_t n, int c, int od,
                          int oh, int ow) {
  float sum = 0;
  for (int k = 0; k < v.patch; ++k) {
    const PatchTap t = patch_tap(v, k);
    sum += w[k * v.channels + c] * input_at(v, x, t, n, od, oh, ow);
  }
  return sum;
}

/// Element e of y and its winner, unless `winner` is null; zeros in the bytes of `winner` after the last
/// element.
__global__ void pool_each(StemView v, const float* x, const float* w, const float* gamma, const float* beta,
                          const float* mean, const float* invstd, float* y, std::uint8_t* winner,
                          std::int64_t count) {
  const std::int64_t e = thread_number();
  if (e >= count) return;
  if (e >= v.elements) {
    winner[e] = 0;
    return;
  }
  const std::int64_t n = e % v.batch, q = e / v.batch / v.channels;
  const int c = static_cast<int>(e / v.batch % v.channels);
  const StemAxisView &d = v.axis[0], &h = v.axis[1], &s = v.axis[2];
  const int qw = static_cast<int>(q % s.pooled), qh = static_cast<int>(q / s.pooled % h.pooled),
            qd = static_cast<int>(q / s.pooled / h.pooled);
  float best = 0;
  int of_best = -1;
  for (int td = d.window_begin(qd); td < d.window_end(qd); ++td) {
    for (int th = h.window_begin(qh); th < h.window_end(qh); ++th) {
      for (int tw = s.window_begin(qw); tw < s.window_end(qw); ++tw) {
        const float z = convolve(v, x, w, n, c, d.window(qd) + td, h.window(qh) + th, s.window(qw) + tw);
        const float affine = gamma[c] * ((z - mean[c]) * invstd[c]) + beta[c];
        const float a = affine <= 0 ? 0 : affine;
        if (of_best >= 0 && !(a > best) && a == a) continue;  // the first of equals wins, and so does a NaN
        best = a;
        of_best = (td * h.pool + th) * s.pool + tw;
      }
    }
  }
  y[e] = best;
  if (winner != nullptr) winner[e] = best > 0 ? static_cast<std::uint8_t>(of_best) : kNoWinner;
}

/// sums [K + 1][C]: of dz times number k of the patch and, in the last row, of dz.
__global__ void winner_sums_each(StemView v, const float* dy, const float* x, const std::uint8_t* winner,
                                 double* sums) {
  double* scratch = &shared_memory<double>();
  const int c = static_cast<int>(blockIdx.x), k = static_cast<int>(blockIdx.y);
  const StemAxisView &d = v.axis[0], &h = v.axis[1], &s = v.axis[2];
  const PatchTap tap = k < v.patch ? patch_tap(v, k) : PatchTap{};
  const std::int64_t count = v.elements / v.channels;  // of channel c
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += kSumThreads) {
    const std::int64_t n = i % v.batch, q = i / v.batch, e = (q * v.channels + c) * v.batch + n;
    if (winner[e] == kNoWinner) continue;
    const int qw = static_cast<int>(q % s.pooled), qh = static_cast<int>(q / s.pooled % h.pooled),
              qd = static_cast<int>(q / s.pooled / h.pooled);
    const int tw = winner[e] % s.pool, th = winner[e] / s.pool % h.pool, td = winner[e] / s.pool / h.pool;
    const float number =
        k == v.patch ? 1 : input_at(v, x, tap, n, d.window(qd) + td, h.window(qh) + th, s.window(qw) + tw);
    sum += static_cast<double>(dy[e]) * static_cast<double>(number);
  }
  sum = block_sum(sum, scratch);
  if (threadIdx.x == 0) sums[k * v.channels + c] = sum;
}

__global__ void gradients_each(StemView v, const double* sums, const float* w, const float* gamma,
                               const float* mean, const float* invstd, const double* mu, const double* cov,
                               float* dw, float* dgamma, float* dbeta) {
  const int c = static_cast<int>(thread_number());
  if (c >= v.channels) return;
  double dot = 0;
  for (int k = 0; k < v.patch; ++k)
    dot += static_cast<double>(w[k * v.channels + c]) * sums[k * v.channels + c];
  const StemChannelGradients gradients(static_cast<double>(gamma[c]), static_cast<double>(mean[c]),
                                       static_cast<double>(invstd[c]), sums[v.patch * v.channels + c], dot,
                                       stem_dot(v.patch, v.channels, w, c, mu));
  for (int k = 0; k < v.patch; ++k) {
    const double cov_dot = stem_cov_dot(v.patch, v.channels, w, c, cov, k);
    dw[k * v.channels + c] = static_cast<float>(gradients.weight(sums[k * v.channels + c], mu[k], cov_dot));
  }
  dgamma[c] = static_cast<float>(gradients.sum_xhat);
  dbeta[c] = static_cast<float>(gradients.sum);
}

/// A grid of width x height blocks whose threads sum.
Grid summing_blocks(int width, int height) {
  return {{static_cast<unsigned>(width), static_cast<unsigned>(height)},
          {kSumThreads},
          kSumThreads / kWarp * sizeof(double)};
}

std::string declines(const StemOp& op) {
  return stem_too_large(op.geometry);
}
std::string forward_declines(const Stem3dForward& op) {
  const std::string reason = stem_needs_two_values(op);
  return reason.empty() ? declines(op) : reason;
}

void forward(const Stem3dForward& op, Buffers buffers, void*, Stream& stream) {
  const StemView v(op.geometry);
  const auto* x = buffers.in(0);        // [N][Cin][D][H][W]
  const auto* w = buffers.in(1);        // [live tap][Cin][C]
  const auto* gamma = buffers.in(2);    // [C]
  const auto* beta = buffers.in(3);     // [C]
  auto* mean = buffers.out(8);          // [C]
  auto* invstd = buffers.out(9);        // [C]
  auto* mu = buffers.out<double>(10);   // [K]
  auto* cov = buffers.out<double>(11);  // [K][K]
  const StemMoments moments{
      op.epsilon, op.momentum, static_cast<double>(v.outputs), buffers.out(4), buffers.out(5), mean, invstd};
  launch(patch_mean_each, summing_blocks(v.patch, 1), stream.native(), v, x, mu);
  launch(patch_cov_each, summing_blocks(v.patch, v.patch), stream.native(), v, x, mu, cov);
  launch(channel_statistics_each, one_thread_each(v.channels), stream.native(), v, w, mu, cov, moments);
  const std::int64_t bytes = 4 * op.geometry.winner_words();
  launch(pool_each, one_thread_each(bytes), stream.native(), v, x, w, gamma, beta, mean, invstd,
         buffers.out(6), buffers.out<std::uint8_t>(7), bytes);
}

void inference(const Stem3dInference& op, Buffers buffers, void* workspace, Stream& stream) {
  const StemView v(op.geometry);
  auto* invstd = static_cast<float*>(workspace);  // [C]
  launch(inverse_each, one_thread_each(v.channels), stream.native(), buffers.in(5), invstd, v.channels,
         op.epsilon);
  launch(pool_each, one_thread_each(v.elements), stream.native(), v, buffers.in(0), buffers.in(1),
         buffers.in(2), buffers.in(3), buffers.in(4), invstd, buffers.out(6), nullptr, v.elements);
}

void backward(const Stem3dBackward& op, Buffers buffers, void* workspace, Stream& stream) {
  const StemView v(op.geometry);
  auto* sums = static_cast<double*>(workspace);  // [K + 1][C]
  launch(winner_sums_each, summing_blocks(v.channels, v.patch + 1), stream.native(), v, buffers.in(0),
         buffers.in(1), buffers.in<std::uint8_t>(6), sums);
  launch(gradients_each, one_thread_each(v.channels), stream.native(), v, sums, buffers.in(2), buffers.in(3),
         buffers.in(4), buffers.in(5), buffers.in<double>(7), buffers.in<double>(8), buffers.out(9),
         buffers.out(10), buffers.out(11));
}

std::size_t inference_workspace(const Stem3dInference& op) {
  return static_cast<std::size_t>(op.geometry.channels) * sizeof(float);
}
std::size_t backward_workspace(const Stem3dBackward& op) {
  return static_cast<std::size_t>((op.geometry.patch() + 1) * op.geometry.channels) * sizeof(double);
}

}  // namespace

Kernel stem3d_forward_cuda_1_naive() {
  return make_kernel<Stem3dForward, forward, forward_declines>();
}
Kernel stem3d_inference_cuda_1_naive() {
  return make_kernel<Stem3dInference, inference, declines, inference_workspace>();
}
Kernel stem3d_backward_cuda_1_naive() {
  return make_kernel<Stem3dBackward, backward, declines, backward_workspace>();
}

}  // namespace umbra

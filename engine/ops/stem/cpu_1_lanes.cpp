// The rung cpu_1_lanes: samples in lanes, statistics from the patches, one block of channels and one group
// of samples per task. One task computes every element of y and every sum in one order, whatever the number
// of threads.
#include <algorithm>
#include <cmath>

#include "engine/cpu/parallel.h"
#include "engine/ops/kernel.h"
#include "engine/ops/stem/cpu_1_lanes_workspace.h"

namespace umbra {
namespace {

/// A row of a product of a symmetric matrix [K][K] and the filters [K][C] of a block: row [10].
void times_filters(const StemPlan& plan, const double* cov, const float* w, std::int64_t block,
                   std::int64_t k, double* row) {
  const std::int64_t patch = plan.patch, channels = plan.channels(block);
  std::fill_n(row, kStemBlock, 0.0);
  for (std::int64_t l = 0; l < patch; ++l) {
    const float* weights = w + l * plan.g.channels + block * kStemBlock;
    for (std::int64_t r = 0; r < channels; ++r)
      row[r] += cov[k * patch + l] * static_cast<double>(weights[r]);
  }
}

/// mean [10] = w . mu
void filter_means(const StemPlan& plan, const double* mu, const float* w, std::int64_t block, double* mean) {
  std::fill_n(mean, kStemBlock, 0.0);
  for (std::int64_t k = 0; k < plan.patch; ++k) {
    const float* weights = w + k * plan.g.channels + block * kStemBlock;
    for (std::int64_t r = 0; r < plan.channels(block); ++r)
      mean[r] += mu[k] * static_cast<double>(weights[r]);
  }
}

float sign_of(float gamma) {
  return gamma > 0 ? 1.0f : gamma < 0 ? -1.0f : 0.0f;
}

/// Channel c of the affine map that follows the pooling of sign * z.
void set_affine(const StemPoolingSpace& space, std::int64_t c, float gamma, double mean, double inverse,
                float beta) {
  space.mean[c] = space.sign[c] * static_cast<float>(mean);
  space.scale[c] = static_cast<float>(std::abs(static_cast<double>(gamma)) * inverse);
  space.beta[c] = beta;
}

/// Pooling of sign * z, then (· - mean) scale + beta and ReLU.
void pool_blocks(const StemPlan& plan, const StemPoolingSpace& space, bool tame, float* y,
                 std::uint8_t* winner) {
  for (std::int64_t c = plan.g.channels; c < plan.blocks() * kStemBlock; ++c)
    space.mean[c] = space.scale[c] = space.beta[c] = 0;
  const std::int64_t tasks = plan.groups() * plan.blocks(), planes = plan.g.pool_out(0);
  // The result does not depend on the number of segments, so it may depend on the number of threads.
  const std::int64_t segments = tasks / 2 >= omp_get_max_threads() ? 1 : space.segments_most;
  StemSlots free(space.scratch, space.slots, stem_forward_scratch(plan));
  parallel_for(tasks * segments, [&](std::int64_t i) {
    const std::int64_t task = i / segments, segment = i % segments;
    const std::int64_t group = task / plan.blocks(), block = task % plan.blocks(), c = block * kStemBlock;
    free.with([&](float* memory) {
      stem_forward_block({&plan, space.boxes + group * plan.box_cells() * kStemGroup,
                          space.filters + c * plan.patch, space.mean + c, space.scale + c, space.beta + c,
                          group, block, segment * planes / segments, (segment + 1) * planes / segments, y,
                          winner, tame, memory});
    });
  });
}

void forward(const Stem3dForward& op, Buffers buffers, void* workspace, Stream&) {
  const StemPlan plan(op.geometry);
  const float* w = buffers.in(1);      // [live tap][Cin][C]
  const float* gamma = buffers.in(2);  // [C], as all below but y
  const float* beta = buffers.in(3);
  float* running_mean = buffers.out(4);
  float* running_var = buffers.out(5);
  auto* winner = buffers.out<std::int32_t>(7);  // [q][C][N] bytes
  float* mean = buffers.out(8);
  float* invstd = buffers.out(9);
  double* mu = buffers.out<double>(10);   // [K]
  double* cov = buffers.out<double>(11);  // [K][K]
  const StemForwardSpace space(plan, workspace);
  const StemPoolingSpace& pooling = space.pooling;
  bool tame = stem_pack_boxes(plan, buffers.in(0), pooling.boxes);
  stem_patch_statistics_lanes(plan, pooling.boxes, space.gram, mu, cov);
  for (std::int64_t c = 0; c < op.geometry.channels; ++c) pooling.sign[c] = sign_of(gamma[c]);
  tame = stem_pack_filters(plan, w, pooling.sign, pooling.filters) && tame;
  const double count = static_cast<double>(op.geometry.batch * op.geometry.conv_volume());
  parallel_for(plan.blocks(), [&](std::int64_t block) {
    double means[kStemBlock], var[kStemBlock] = {}, row[kStemBlock];
    filter_means(plan, mu, w, block, means);
    for (std::int64_t k = 0; k < plan.patch; ++k) {
      times_filters(plan, cov, w, block, k, row);
      for (std::int64_t r = 0; r < plan.channels(block); ++r)
        var[r] += row[r] * static_cast<double>(w[k * op.geometry.channels + block * kStemBlock + r]);
    }
    for (std::int64_t r = 0; r < plan.channels(block); ++r) {
      const std::int64_t c = block * kStemBlock + r;
      const double v = var[r] < 0 ? 0 : var[r], inverse = 1 / std::sqrt(v + op.epsilon);  // a NaN stays a NaN
      mean[c] = static_cast<float>(means[r]);
      invstd[c] = static_cast<float>(inverse);
      const double keep = 1 - op.momentum, unbiased = v * (count / (count - 1));
      running_mean[c] =
          static_cast<float>(keep * static_cast<double>(running_mean[c]) + op.momentum * means[r]);
      running_var[c] =
          static_cast<float>(keep * static_cast<double>(running_var[c]) + op.momentum * unbiased);
      set_affine(pooling, c, gamma[c], means[r], inverse, beta[c]);
    }
  });
  winner[op.geometry.winner_words() - 1] = 0;  // bytes after the last element
  pool_blocks(plan, pooling, tame, buffers.out(6), reinterpret_cast<std::uint8_t*>(winner));
}

void inference(const Stem3dInference& op, Buffers buffers, void* workspace, Stream&) {
  const StemPlan plan(op.geometry);
  const float* gamma = buffers.in(2);  // [C], as all below
  const float* beta = buffers.in(3);
  const float* running_mean = buffers.in(4);
  const float* running_var = buffers.in(5);
  WorkspaceAllocator allocator(workspace);
  const StemPoolingSpace pooling(plan, allocator);
  bool tame = stem_pack_boxes(plan, buffers.in(0), pooling.boxes);
  for (std::int64_t c = 0; c < op.geometry.channels; ++c) {
    pooling.sign[c] = sign_of(gamma[c]);
    const double inverse = 1 / std::sqrt(static_cast<double>(running_var[c]) + op.epsilon);
    set_affine(pooling, c, gamma[c], static_cast<double>(running_mean[c]), inverse, beta[c]);
  }
  tame = stem_pack_filters(plan, buffers.in(1), pooling.sign, pooling.filters) && tame;
  pool_blocks(plan, pooling, tame, buffers.out(6), nullptr);
}

struct BackwardBuffers {
  explicit BackwardBuffers(Buffers b)
      : dy(b.in(0)),
        x(b.in(1)),
        w(b.in(2)),
        gamma(b.in(3)),
        mean(b.in(4)),
        invstd(b.in(5)),
        winner(b.in<std::uint8_t>(6)),
        mu(b.in<double>(7)),
        cov(b.in<double>(8)),
        dw(b.out(9)),
        dgamma(b.out(10)),
        dbeta(b.out(11)) {}
  const float *dy, *x, *w;             // [q][C][N], [N][Cin][D][H][W], [live tap][Cin][C]
  const float *gamma, *mean, *invstd;  // [C]
  const std::uint8_t* winner;          // [q][C][N]
  const double *mu, *cov;              // [K], [K][K]
  float *dw, *dgamma, *dbeta;          // [live tap][Cin][C], [C], [C]
};

/// Sums of dz P and of dz for every part of the winners, written to the workspace.
void sum_winners(const StemPlan& plan, const StemBackwardSpace& space, const BackwardBuffers& b) {
  const std::int64_t blocks = plan.blocks(), planes = plan.d.live_end - plan.d.live_begin;
  StemSlots free(space.scratch, space.slots, stem_backward_scratch(plan));
  parallel_for(space.parts(plan) * blocks, [&](std::int64_t i) {
    const std::int64_t part = i / blocks, group = part / space.segments, segment = part % space.segments;
    const auto cut = [&](std::int64_t length, std::int64_t at) { return at * length / space.segments; };
    free.with([&](float* memory) {
      stem_backward_block({&plan, space.chunks, space.boxes + group * plan.box_cells() * kStemGroup, group,
                           i % blocks, plan.d.live_begin + cut(planes, segment),
                           plan.d.live_begin + cut(planes, segment + 1), cut(plan.pool_out(0), segment),
                           cut(plan.pool_out(0), segment + 1), b.dy, b.winner, memory,
                           space.patches + i * space.per_task(plan), space.sums + i * kStemBlock});
    });
  });
}

/// The gradients of a block of channels from the sums of all parts.
void finish_block(const StemPlan& plan, const StemBackwardSpace& space, const BackwardBuffers& b,
                  std::int64_t block) {
  const std::int64_t per_task = space.per_task(plan), all_channels = plan.g.channels;
  double* patches = space.patches + block * per_task;  // of the first part: the total in the end
  double sum[kStemBlock] = {}, of_z[kStemBlock] = {}, drift[kStemBlock], row[kStemBlock];
  for (std::int64_t part = 0; part < space.parts(plan); ++part) {
    const std::int64_t i = part * plan.blocks() + block;
    for (std::int64_t r = 0; r < kStemBlock; ++r) sum[r] += space.sums[i * kStemBlock + r];
    for (std::int64_t e = 0; part > 0 && e < per_task; ++e) patches[e] += space.patches[i * per_task + e];
  }
  const auto for_taps = [&](const auto& body) {  // body(k, index of channel 0 in patches)
    for (std::int64_t c = 0; c < plan.chunks(); ++c) {
      for (std::int64_t t = 0; t < space.chunks[c].count; ++t)
        body(space.chunks[c].k[t], c * kStemBlock * kStemTaps + t);
    }
  };
  const std::int64_t channels = plan.channels(block), first = block * kStemBlock;
  for_taps([&](std::int64_t k, std::int64_t at) {
    for (std::int64_t r = 0; r < channels; ++r)
      of_z[r] += static_cast<double>(b.w[k * all_channels + first + r]) * patches[at + r * kStemTaps];
  });
  filter_means(plan, b.mu, b.w, block, drift);
  double sum_xhat[kStemBlock];
  for (std::int64_t r = 0; r < channels; ++r) {
    const double m = static_cast<double>(b.mean[first + r]);
    sum_xhat[r] = static_cast<double>(b.invstd[first + r]) * (of_z[r] - m * sum[r]);
    drift[r] -= m;  // the rounding of mean
    b.dgamma[first + r] = static_cast<float>(sum_xhat[r]);
    b.dbeta[first + r] = static_cast<float>(sum[r]);
  }
  for_taps([&](std::int64_t k, std::int64_t at) {
    times_filters(plan, b.cov, b.w, block, k, row);
    for (std::int64_t r = 0; r < channels; ++r) {
      const double inverse = static_cast<double>(b.invstd[first + r]);
      const double of_xhat = sum_xhat[r] * inverse * (row[r] + drift[r] * b.mu[k]);
      b.dw[k * all_channels + first + r] =
          static_cast<float>(static_cast<double>(b.gamma[first + r]) * inverse *
                             (patches[at + r * kStemTaps] - sum[r] * b.mu[k] - of_xhat));
    }
  });
}

void backward(const Stem3dBackward& op, Buffers buffers, void* workspace, Stream&) {
  const StemPlan plan(op.geometry);
  const BackwardBuffers b(buffers);
  const StemBackwardSpace space(plan, workspace);
  stem_pack_boxes(plan, b.x, space.boxes);
  plan.fill_chunks(space.chunks);
  sum_winners(plan, space, b);
  parallel_for(plan.blocks(), [&](std::int64_t block) { finish_block(plan, space, b, block); });
}

std::string declines(const StemOp& op) {
  return stem_lanes_declines(op.geometry);
}
std::string forward_declines(const Stem3dForward& op) {
  const std::string reason = stem_needs_two_values(op);
  return reason.empty() ? declines(op) : reason;
}

std::size_t forward_workspace(const Stem3dForward& op) {
  return StemForwardSpace(StemPlan(op.geometry), nullptr).allocator.used();
}
std::size_t inference_workspace(const Stem3dInference& op) {
  WorkspaceAllocator allocator(nullptr);
  const StemPoolingSpace pooling(StemPlan(op.geometry), allocator);
  return allocator.used();
}
std::size_t backward_workspace(const Stem3dBackward& op) {
  return StemBackwardSpace(StemPlan(op.geometry), nullptr).allocator.used();
}

}  // namespace

Kernel stem3d_forward_cpu_1_lanes() {
  return make_kernel<Stem3dForward, forward, forward_declines, forward_workspace>();
}
Kernel stem3d_inference_cpu_1_lanes() {
  return make_kernel<Stem3dInference, inference, declines, inference_workspace>();
}
Kernel stem3d_backward_cpu_1_lanes() {
  return make_kernel<Stem3dBackward, backward, declines, backward_workspace>();
}

}  // namespace umbra

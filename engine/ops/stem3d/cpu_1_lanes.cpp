// The rung cpu_1_lanes: samples in lanes, statistics from the patches, one block of channels and one group of
// samples per task. Every element of y and every sum is made by one task in one order, whatever the threads.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "engine/cpu/parallel.h"
#include "engine/ops/carver.h"
#include "engine/ops/stem3d/cpu_1.h"

namespace umbra {
namespace {

/// Scratch memory for tasks: a slot is taken from the first that is free, so that a thread meets the slot
/// that is in its cache, and no slot is touched that is not needed.
class Slots {
 public:
  static constexpr std::int64_t kMost = 128;
  static std::int64_t count_for(std::int64_t tasks) { return std::min(tasks, kMost); }
  static std::int64_t floats_of(std::int64_t size) { return (size + 15) / 16 * 16; }

  Slots(float* memory, std::int64_t count, std::int64_t size)
      : memory_(memory), count_(count), size_(floats_of(size)) {}

  template <class Body>
  void with(const Body& body) {
    std::int64_t slot = 0;
    while (taken_[static_cast<std::size_t>(slot)].test_and_set(std::memory_order_acquire))
      slot = (slot + 1) % count_;
    body(memory_ + slot * size_);
    taken_[static_cast<std::size_t>(slot)].clear(std::memory_order_release);
  }

 private:
  float* memory_;
  std::int64_t count_, size_;
  std::array<std::atomic_flag, kMost> taken_{};
};

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

/// What forward and inference share: pooling of sign * z, then (· - mean) scale + beta and ReLU.
struct Pooling {
  Pooling(const StemPlan& plan, Carver& carve)
      : segments_most(std::min<std::int64_t>(plan.g.pool_out(0), 4)),
        slots(Slots::count_for(plan.groups() * plan.blocks() * segments_most)) {
    const std::int64_t padded = plan.blocks() * kStemBlock;
    boxes = carve.take<float>(stem_box_floats(plan)).data();
    filters = carve.take<float>(padded * plan.patch).data();
    sign = carve.take<float>(padded).data();
    mean = carve.take<float>(padded).data();
    scale = carve.take<float>(padded).data();
    beta = carve.take<float>(padded).data();
    scratch = carve.take<float>(slots * Slots::floats_of(stem_forward_scratch(plan))).data();
  }

  /// Channel c of the affine map.
  void set(std::int64_t c, float gamma, double mean_, double inverse, float beta_) const {
    mean[c] = sign[c] * static_cast<float>(mean_);
    scale[c] = static_cast<float>(std::abs(static_cast<double>(gamma)) * inverse);
    beta[c] = beta_;
  }

  void run(const StemPlan& plan, bool tame, float* y, std::uint8_t* winner) const {
    for (std::int64_t c = plan.g.channels; c < plan.blocks() * kStemBlock; ++c)
      mean[c] = scale[c] = beta[c] = 0;
    const std::int64_t tasks = plan.groups() * plan.blocks(), planes = plan.g.pool_out(0);
    // An output is the same whatever task makes it: enough tasks for all threads.
    const std::int64_t segments = tasks >= 2 * omp_get_max_threads() ? 1 : segments_most;
    Slots free(scratch, slots, stem_forward_scratch(plan));
    parallel_for(tasks * segments, [&](std::int64_t i) {
      const std::int64_t task = i / segments, segment = i % segments;
      const std::int64_t group = task / plan.blocks(), block = task % plan.blocks(), c = block * kStemBlock;
      free.with([&](float* memory) {
        stem_forward_block({&plan, boxes + group * plan.box_cells() * kStemGroup, filters + c * plan.patch,
                            mean + c, scale + c, beta + c, group, block, segment * planes / segments,
                            (segment + 1) * planes / segments, y, winner, tame, memory});
      });
    });
  }

  std::int64_t segments_most, slots;
  float *boxes, *filters, *sign, *mean, *scale, *beta, *scratch;
};

struct ForwardSpace {
  ForwardSpace(const StemPlan& plan, void* memory) : carve(memory), pooling(plan, carve) {
    gram.chunks = carve.take<StemChunk>(plan.chunks()).data();
    gram.pairs = carve.take<StemPair>(plan.pairs()).data();
    gram.products = carve.take<double>(kStemRowChunks * plan.pairs() * kStemTile * kStemWide).data();
    gram.sums = carve.take<double>(kStemRowChunks * plan.chunks() * kStemTaps * kStemWide).data();
  }
  Carver carve;
  Pooling pooling;
  StemGramSpace gram;
};

struct BackwardSpace {
  BackwardSpace(const StemPlan& plan, void* memory)
      : carve(memory), tasks(plan.groups() * plan.blocks()), slots(1), segments(1) {
    constexpr std::int64_t kEnough = 8;  // tasks; fewer are cut along D
    const std::int64_t planes = std::max<std::int64_t>(1, plan.d.live_end - plan.d.live_begin);
    if (tasks < kEnough)
      segments = std::min(planes, std::min<std::int64_t>(4, (kEnough + tasks - 1) / tasks));
    slots = Slots::count_for(tasks * segments);
    boxes = carve.take<float>(stem_box_floats(plan)).data();
    chunks = carve.take<StemChunk>(plan.chunks()).data();
    patches = carve.take<double>(tasks * segments * per_task(plan)).data();
    sums = carve.take<double>(tasks * segments * kStemBlock).data();
    scratch = carve.take<float>(slots * Slots::floats_of(stem_backward_scratch(plan))).data();
  }
  static std::int64_t per_task(const StemPlan& plan) { return plan.chunks() * kStemBlock * kStemTaps; }

  Carver carve;
  std::int64_t tasks, slots, segments;
  float* boxes;
  StemChunk* chunks;
  double* patches;  // [group][segment][block][chunks][10][3]
  double* sums;     // [group][segment][block][10]
  float* scratch;
};

}  // namespace

std::string stem3d_forward_declines(const Stem3dForward& op) {
  if (op.geometry.batch * op.geometry.conv_volume() < 2)
    return "needs at least two values per channel to train";
  return stem_lanes_declines(op.geometry);
}
std::string stem3d_inference_declines(const Stem3dInference& op) {
  return stem_lanes_declines(op.geometry);
}
std::string stem3d_backward_declines(const Stem3dBackward& op) {
  return stem_lanes_declines(op.geometry);
}

void stem3d_forward_lanes(const Stem3dForward& op, Buffers buffers, void* workspace, Stream&) {
  const StemPlan plan(op.geometry);
  const float* w = static_cast<const float*>(buffers[1]);      // [live tap][Cin][C]
  const float* gamma = static_cast<const float*>(buffers[2]);  // [C], as all below but y
  const float* beta = static_cast<const float*>(buffers[3]);
  float* running_mean = static_cast<float*>(buffers[4]);
  float* running_var = static_cast<float*>(buffers[5]);
  auto* winner = static_cast<std::int32_t*>(buffers[7]);  // [q][C][N] bytes
  float* mean = static_cast<float*>(buffers[8]);
  float* invstd = static_cast<float*>(buffers[9]);
  double* mu = static_cast<double*>(buffers[10]);   // [K]
  double* cov = static_cast<double*>(buffers[11]);  // [K][K]
  const ForwardSpace space(plan, workspace);
  const Pooling& pooling = space.pooling;
  bool tame = stem_pack_boxes(plan, static_cast<const float*>(buffers[0]), pooling.boxes);
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
      const double v = var[r] < 0 ? 0 : var[r], inverse = 1 / std::sqrt(v + op.epsilon);  // a NaN stays
      mean[c] = static_cast<float>(means[r]);
      invstd[c] = static_cast<float>(inverse);
      const double keep = 1 - op.momentum, unbiased = v * (count / (count - 1));
      running_mean[c] =
          static_cast<float>(keep * static_cast<double>(running_mean[c]) + op.momentum * means[r]);
      running_var[c] =
          static_cast<float>(keep * static_cast<double>(running_var[c]) + op.momentum * unbiased);
      pooling.set(c, gamma[c], means[r], inverse, beta[c]);
    }
  });
  winner[op.geometry.winner_words() - 1] = 0;  // bytes behind the last element
  pooling.run(plan, tame, static_cast<float*>(buffers[6]), reinterpret_cast<std::uint8_t*>(winner));
}

void stem3d_inference_lanes(const Stem3dInference& op, Buffers buffers, void* workspace, Stream&) {
  const StemPlan plan(op.geometry);
  const float* gamma = static_cast<const float*>(buffers[2]);  // [C], as all below
  const float* beta = static_cast<const float*>(buffers[3]);
  const float* running_mean = static_cast<const float*>(buffers[4]);
  const float* running_var = static_cast<const float*>(buffers[5]);
  Carver carve(workspace);
  const Pooling pooling(plan, carve);
  bool tame = stem_pack_boxes(plan, static_cast<const float*>(buffers[0]), pooling.boxes);
  for (std::int64_t c = 0; c < op.geometry.channels; ++c) {
    pooling.sign[c] = sign_of(gamma[c]);
    const double inverse = 1 / std::sqrt(static_cast<double>(running_var[c]) + op.epsilon);
    pooling.set(c, gamma[c], static_cast<double>(running_mean[c]), inverse, beta[c]);
  }
  tame =
      stem_pack_filters(plan, static_cast<const float*>(buffers[1]), pooling.sign, pooling.filters) && tame;
  pooling.run(plan, tame, static_cast<float*>(buffers[6]), nullptr);
}

void stem3d_backward_lanes(const Stem3dBackward& op, Buffers buffers, void* workspace, Stream&) {
  const StemPlan plan(op.geometry);
  const float* dy = static_cast<const float*>(buffers[0]);            // [q][C][N]
  const float* w = static_cast<const float*>(buffers[2]);             // [live tap][Cin][C]
  const float* gamma = static_cast<const float*>(buffers[3]);         // [C]
  const float* mean = static_cast<const float*>(buffers[4]);          // [C]
  const float* invstd = static_cast<const float*>(buffers[5]);        // [C]
  const auto* winner = static_cast<const std::uint8_t*>(buffers[6]);  // [q][C][N]
  const double* mu = static_cast<const double*>(buffers[7]);          // [K]
  const double* cov = static_cast<const double*>(buffers[8]);         // [K][K]
  float* dw = static_cast<float*>(buffers[9]);                        // [live tap][Cin][C]
  float* dgamma = static_cast<float*>(buffers[10]);                   // [C]
  float* dbeta = static_cast<float*>(buffers[11]);                    // [C]
  const BackwardSpace space(plan, workspace);
  stem_pack_boxes(plan, static_cast<const float*>(buffers[1]), space.boxes);
  plan.fill_chunks(space.chunks);
  const std::int64_t blocks = plan.blocks(), planes = plan.d.live_end - plan.d.live_begin;
  const std::int64_t per_task = BackwardSpace::per_task(plan), parts = plan.groups() * space.segments;
  Slots free(space.scratch, space.slots, stem_backward_scratch(plan));
  parallel_for(parts * blocks, [&](std::int64_t i) {
    const std::int64_t part = i / blocks, group = part / space.segments, segment = part % space.segments;
    const auto cut = [&](std::int64_t length, std::int64_t at) { return at * length / space.segments; };
    free.with([&](float* memory) {
      stem_backward_block({&plan, space.chunks, space.boxes + group * plan.box_cells() * kStemGroup, group,
                           i % blocks, plan.d.live_begin + cut(planes, segment),
                           plan.d.live_begin + cut(planes, segment + 1),
                           cut(op.geometry.pool_out(0), segment), cut(op.geometry.pool_out(0), segment + 1),
                           dy, winner, memory, space.patches + i * per_task, space.sums + i * kStemBlock});
    });
  });
  parallel_for(blocks, [&](std::int64_t block) {
    double* patches = space.patches + block * per_task;  // of the first part: the total in the end
    double sum[kStemBlock] = {}, of_z[kStemBlock] = {}, drift[kStemBlock], row[kStemBlock];
    for (std::int64_t part = 0; part < parts; ++part) {
      const std::int64_t i = part * blocks + block;
      for (std::int64_t r = 0; r < kStemBlock; ++r) sum[r] += space.sums[i * kStemBlock + r];
      for (std::int64_t e = 0; part > 0 && e < per_task; ++e) patches[e] += space.patches[i * per_task + e];
    }
    const auto for_taps = [&](const auto& body) {  // body(k, the place of channel 0 in patches)
      for (std::int64_t c = 0; c < plan.chunks(); ++c) {
        for (std::int64_t t = 0; t < space.chunks[c].count; ++t)
          body(space.chunks[c].k[t], c * kStemBlock * kStemTaps + t);
      }
    };
    const std::int64_t channels = plan.channels(block), first = block * kStemBlock;
    for_taps([&](std::int64_t k, std::int64_t at) {
      for (std::int64_t r = 0; r < channels; ++r)
        of_z[r] += static_cast<double>(w[k * op.geometry.channels + first + r]) * patches[at + r * kStemTaps];
    });
    filter_means(plan, mu, w, block, drift);
    double sum_xhat[kStemBlock];
    for (std::int64_t r = 0; r < channels; ++r) {
      const double m = static_cast<double>(mean[first + r]);
      sum_xhat[r] = static_cast<double>(invstd[first + r]) * (of_z[r] - m * sum[r]);
      drift[r] -= m;  // the rounding of mean
      dgamma[first + r] = static_cast<float>(sum_xhat[r]);
      dbeta[first + r] = static_cast<float>(sum[r]);
    }
    for_taps([&](std::int64_t k, std::int64_t at) {
      times_filters(plan, cov, w, block, k, row);
      for (std::int64_t r = 0; r < channels; ++r) {
        const double inverse = static_cast<double>(invstd[first + r]);
        const double of_xhat = sum_xhat[r] * inverse * (row[r] + drift[r] * mu[k]);
        dw[k * op.geometry.channels + first + r] =
            static_cast<float>(static_cast<double>(gamma[first + r]) * inverse *
                               (patches[at + r * kStemTaps] - sum[r] * mu[k] - of_xhat));
      }
    });
  });
}

std::size_t stem3d_forward_workspace(const Stem3dForward& op) {
  return ForwardSpace(StemPlan(op.geometry), nullptr).carve.used();
}
std::size_t stem3d_inference_workspace(const Stem3dInference& op) {
  Carver carve(nullptr);
  const Pooling pooling(StemPlan(op.geometry), carve);
  return carve.used();
}
std::size_t stem3d_backward_workspace(const Stem3dBackward& op) {
  return BackwardSpace(StemPlan(op.geometry), nullptr).carve.used();
}

}  // namespace umbra

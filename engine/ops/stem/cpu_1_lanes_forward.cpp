// Convolution, pooling, affine map and ReLU of one block of channels and one group of samples.
//
// Rows of the convolution's output are computed into a buffer and pooled along W into a ring of rows, these
// along H into a ring of planes, and these along D: 14 + 8 + 5 comparisons per pooled line instead of 27
// per output. Choosing the first of equal values on every axis chooses the first in row-major order.
// Outputs that read no data are zero: one shared cell of zeros represents them.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/stem/cpu_1_lanes_forward.cpp"
#include <algorithm>

#include "engine/cpu/simd.h"
#include "engine/ops/stem/cpu_1_lanes.h"
#include "engine/ops/stem/cpu_1_lanes_maximum.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

constexpr int kBlock = static_cast<int>(kStemBlock);
// Channels whose sums are in registers at once, for two vectors of samples each: 32 registers or 16.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SCALAR
constexpr int kRows = 5;
#else
constexpr int kRows = 10;
#endif

/// One (td, th) of a row of outputs: the input row and the first filter tap of the row.
struct Segment {
  const float* x;
  const float* w;
};

// The lanes, rows and vectors of a tile are small constants: their products in int cannot overflow.
// NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
/// One output: sums [kRows][width] over the segments, each of `steps` numbers.
template <int V>
HWY_INLINE void convolve(const Segment* segments, std::int64_t count, std::int64_t x_offset,
                         std::int64_t w_offset, std::int64_t steps, std::int64_t width,
                         float* HWY_RESTRICT out) {
  const Floats d;
  hn::Vec<Floats> sum[kRows][V];
#pragma GCC unroll 10
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sum[r][v] = hn::Zero(d);
  }
  for (std::int64_t s = 0; s < count; ++s) {
    const float* HWY_RESTRICT x = segments[s].x + x_offset;
    const float* HWY_RESTRICT w = segments[s].w + w_offset;
    for (std::int64_t i = 0; i < steps; ++i, x += width, w += kBlock) {
      hn::Vec<Floats> value[V];
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) value[v] = hn::LoadU(d, x + v * kLanes);
#pragma GCC unroll 10
      for (int r = 0; r < kRows; ++r) {
        const auto weight = hn::Set(d, w[r]);
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(weight, value[v], sum[r][v]);
      }
    }
  }
#pragma GCC unroll 10
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) hn::StoreU(sum[r][v], d, out + r * width + v * kLanes);
  }
}

/// The work of a task with its scratch memory.
template <bool kTame>
class Forward {
 public:
  explicit Forward(const StemForwardTask& task)
      : t_(task),
        p_(*task.plan),
        width_(p_.width(task.group)),
        cell_(kStemBlock * width_),
        windows_(p_.pool_out(2)),
        plane_(p_.pool_out(1) * windows_ * cell_) {
    float* next = task.scratch;
    const auto take = [&](std::int64_t count) {
      float* here = next;
      next += count;
      return here;
    };
    const auto codes = [&](std::int64_t count) { return reinterpret_cast<std::uint8_t*>(take(count / 4)); };
    zeros_ = take(cell_);
    row_ = take(p_.w.out * cell_);
    best_ = take(cell_);
    best_code_ = codes(cell_);
    rows_ = take(p_.g.pool[1] * windows_ * cell_);
    row_codes_ = codes(p_.g.pool[1] * windows_ * cell_);
    planes_ = take(p_.g.pool[0] * plane_);
    plane_codes_ = codes(p_.g.pool[0] * plane_);
    std::fill_n(zeros_, cell_, 0.0f);
    std::fill_n(row_, p_.w.out * cell_, 0.0f);  // outputs at the ends that read no data stay zero
  }

  void run() {
    std::int64_t done = -1;
    for (std::int64_t qd = t_.begin; qd < t_.end; ++qd) {
      const StemWindow window = p_.window(0, qd);
      for (std::int64_t od = std::max(done + 1, window.start + window.begin); od < window.start + window.end;
           ++od) {
        if (od >= p_.d.live_begin && od < p_.d.live_end) compute_plane(od);
        done = od;
      }
      finish_plane(qd, window);
    }
  }

 private:
  const std::uint8_t* no_codes() const { return reinterpret_cast<const std::uint8_t*>(zeros_); }

  /// Computes row (od, oh) of the convolution into row_.
  void compute_row(std::int64_t od, std::int64_t oh) {
    constexpr std::int64_t kMost = kMaxStemKernel * kMaxStemKernel;
    Segment segments[kMost];
    std::int64_t count = 0;
    const StemAxis &d = p_.d, &h = p_.h, &w = p_.w;
    const std::int64_t in_channels = p_.g.in_channels;
    for (std::int64_t td = d.first_tap(od); td < d.last_tap(od); ++td) {
      for (std::int64_t th = h.first_tap(oh); th < h.last_tap(oh); ++th) {
        const std::int64_t slot =
            (d.rank[static_cast<std::size_t>(td)] * h.live_taps + h.rank[static_cast<std::size_t>(th)]) *
            w.live_taps;
        segments[count++] = {t_.boxes + p_.row_of(od, oh, td, th) * width_,
                             t_.filters + slot * in_channels * kStemBlock};
      }
    }
    for (std::int64_t ow = w.live_begin; ow < w.live_end; ++ow) {
      const std::int64_t tap = w.first_tap(ow), steps = (w.last_tap(ow) - tap) * in_channels;
      const std::int64_t x = p_.cell_of(ow, tap) * width_;
      const std::int64_t weights = w.rank[static_cast<std::size_t>(tap)] * in_channels * kStemBlock;
      for (int r = 0; r < kBlock; r += kRows) {
        float* out = row_ + ow * cell_ + r * width_;
        if (kLanes == width_) {
          convolve<1>(segments, count, x, weights + r, steps, width_, out);
        } else {
          for (std::int64_t l = 0; l < width_; l += 2 * kLanes)
            convolve<2>(segments, count, x + l, weights + r, steps, width_, out + l);
        }
      }
    }
  }

  /// Pools row_, of row oh, along W into its place in the ring of rows.
  void pool_row(std::int64_t oh) {
    Candidate candidates[kNoWinner];
    for (std::int64_t qw = 0; qw < windows_; ++qw) {
      const StemWindow window = p_.window(2, qw);
      std::int64_t count = 0;
      for (std::int64_t t = window.begin; t < window.end; ++t)
        candidates[count++] = {row_ + (window.start + t) * cell_, nullptr, static_cast<std::uint32_t>(t)};
      const std::int64_t at = (oh % p_.g.pool[1] * windows_ + qw) * cell_;
      largest_of<false, kTame>(candidates, count, cell_, rows_ + at, row_codes_ + at);
    }
  }

  /// Computes plane od of the convolution, pooled along W and H, into its place in the ring of planes.
  void compute_plane(std::int64_t od) {
    const std::int64_t pool_h = p_.g.pool[1], pool_w = p_.g.pool[2];
    Candidate candidates[kNoWinner];
    std::int64_t done = -1;
    for (std::int64_t qh = 0; qh < p_.pool_out(1); ++qh) {
      const StemWindow window = p_.window(1, qh);
      for (std::int64_t oh = std::max(done + 1, window.start + window.begin); oh < window.start + window.end;
           ++oh) {
        if (lives(p_.h, oh)) compute_row(od, oh);
        if (lives(p_.h, oh)) pool_row(oh);
        done = oh;
      }
      for (std::int64_t qw = 0; qw < windows_; ++qw) {
        std::int64_t count = 0;
        for (std::int64_t t = window.begin; t < window.end; ++t) {
          const std::int64_t oh = window.start + t, at = (oh % pool_h * windows_ + qw) * cell_;
          const auto base = static_cast<std::uint32_t>(t * pool_w);
          candidates[count++] =
              lives(p_.h, oh) ? Candidate{rows_ + at, row_codes_ + at, base}
                              : zero_candidate(base + static_cast<std::uint32_t>(p_.window(2, qw).begin));
        }
        const std::int64_t at = od % p_.g.pool[0] * plane_ + (qh * windows_ + qw) * cell_;
        largest_of<true, kTame>(candidates, count, cell_, planes_ + at, plane_codes_ + at);
      }
    }
  }

  /// Pools planes along D and writes plane qd of y.
  void finish_plane(std::int64_t qd, const StemWindow& window) {
    const std::int64_t pool_h = p_.g.pool[1], pool_w = p_.g.pool[2];
    Candidate candidates[kNoWinner];
    for (std::int64_t qh = 0; qh < p_.pool_out(1); ++qh) {
      for (std::int64_t qw = 0; qw < windows_; ++qw) {
        const std::int64_t first = p_.window(1, qh).begin * pool_w + p_.window(2, qw).begin;
        std::int64_t count = 0;
        for (std::int64_t t = window.begin; t < window.end; ++t) {
          const std::int64_t od = window.start + t;
          const std::int64_t at = od % p_.g.pool[0] * plane_ + (qh * windows_ + qw) * cell_;
          const auto base = static_cast<std::uint32_t>(t * pool_h * pool_w);
          candidates[count++] = lives(p_.d, od) ? Candidate{planes_ + at, plane_codes_ + at, base}
                                                : zero_candidate(base + static_cast<std::uint32_t>(first));
        }
        largest_of<true, kTame>(candidates, count, cell_, best_, best_code_);
        write_cell((qd * p_.pool_out(1) + qh) * windows_ + qw);
      }
    }
  }

  /// Applies affine map and ReLU to best_ and writes position q of y.
  void write_cell(std::int64_t q) {
    const Floats d;
    const Codes di;
    const Bytes bytes;
    const std::int64_t samples = p_.samples(t_.group), batch = p_.g.batch;
    for (std::int64_t r = 0; r < p_.channels(t_.block); ++r) {
      const std::int64_t to = (q * p_.g.channels + t_.block * kStemBlock + r) * batch + t_.group * kStemGroup;
      const auto mean = hn::Set(d, t_.mean[r]), scale = hn::Set(d, t_.scale[r]),
                 beta = hn::Set(d, t_.beta[r]);
      for (std::int64_t l = 0; l < samples; l += kLanes) {
        const auto affine = hn::MulAdd(hn::Sub(hn::LoadU(d, best_ + r * width_ + l), mean), scale, beta);
        const auto a = hn::IfThenZeroElse(hn::Le(affine, hn::Zero(d)), affine);
        const bool whole = l + kLanes <= samples;
        if (whole) hn::StoreU(a, d, t_.y + to + l);
        if (!whole) store_some(a, d, t_.y + to + l, samples - l);
        if (t_.winner == nullptr) continue;
        const auto passes = hn::RebindMask(di, hn::Gt(affine, hn::Zero(d)));
        const auto code = hn::IfThenElse(
            passes, hn::PromoteTo(di, hn::LoadU(bytes, best_code_ + r * width_ + l)), hn::Set(di, kNoWinner));
        const auto packed = hn::TruncateTo(bytes, code);
        if (whole) hn::StoreU(packed, bytes, t_.winner + to + l);
        if (!whole) store_some(packed, bytes, t_.winner + to + l, samples - l);
      }
    }
  }

  static bool lives(const StemAxis& axis, std::int64_t o) {
    return o >= axis.live_begin && o < axis.live_end;
  }
  Candidate zero_candidate(std::uint32_t base) const { return {zeros_, no_codes(), base}; }

  const StemForwardTask& t_;
  const StemPlan& p_;
  std::int64_t width_, cell_, windows_, plane_;
  float *zeros_, *row_, *best_, *rows_, *planes_;
  std::uint8_t *best_code_, *row_codes_, *plane_codes_;
};

void stem_forward(const StemForwardTask& task) {
  if (task.tame) return Forward<true>(task).run();
  Forward<false>(task).run();
}

}  // namespace
// NOLINTEND(bugprone-implicit-widening-of-multiplication-result)

}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(stem_forward);

std::int64_t stem_forward_scratch(const StemPlan& plan) {
  const std::int64_t windows = plan.g.pool_out(2), plane = plan.g.pool_out(1) * windows;
  return kStemBlock * plan.width(0) *
         (3 + plan.w.out + 2 * plan.g.pool[1] * windows + 2 * plan.g.pool[0] * plane);
}

void stem_forward_block(const StemForwardTask& task) {
  HWY_DYNAMIC_DISPATCH(stem_forward)(task);
}

}  // namespace umbra
#endif

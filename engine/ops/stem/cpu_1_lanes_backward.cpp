// Sums of dz P for one block of channels and one group of samples, dz the gradient of the affine map's
// output.
//
// dz is nonzero only at the winners of pooling windows. Row by row of the convolution's output it is
// collected from the windows that may have chosen an element of the row (at most four for a pooling of 3
// with stride 2) into a buffer in the first-level cache; then every row of the filter multiplies it with
// the row of inputs it reads. Sums are held in float lanes within a plane of outputs and in double across
// planes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/stem/cpu_1_lanes_backward.cpp"
#include <algorithm>

#include "engine/cpu/simd.h"
#include "engine/ops/stem/cpu_1_lanes.h"
#include "engine/ops/stem/cpu_1_lanes_collect.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

constexpr int kTaps = static_cast<int>(kStemTaps);
constexpr int kRows = 5;  // channels at a time: 15 sums, 3 inputs, one gradient

/// GCC would load the vector again for each of its uses: 18 loads for 15 sums, and x86 does one load per
/// cycle.
template <class V>
HWY_INLINE void keep_in_register([[maybe_unused]] V& v) {
#if HWY_COMPILER_GCC_ACTUAL && HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  asm("" : "+v"(v.raw));
#endif
}

/// sum_lanes() in registers, in the same order.
template <class D>
HWY_INLINE float fold_lanes(D d, hn::Vec<D> v) {
#if HWY_TARGET == HWY_SCALAR
  return sum_lanes(d, v);
#else
  if constexpr (hn::MaxLanes(d) == 1) {
    return hn::GetLane(v);
  } else {
    const hn::Half<D> half;
    return fold_lanes(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
#endif
}

/// sums [kRows][kTaps][kStemLanes] += dz x' along a row of outputs.
HWY_INLINE void multiply_row(const float* HWY_RESTRICT dz, std::int64_t cell, const float* const* taps,
                             std::int64_t step, std::int64_t outputs, std::int64_t width,
                             float* HWY_RESTRICT sums) {
  const Floats d;
  const float *x0 = taps[0], *x1 = taps[1], *x2 = taps[2];
  hn::Vec<Floats> sum[kRows][kTaps];
#pragma GCC unroll 5
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int i = 0; i < kTaps; ++i) sum[r][i] = hn::LoadU(d, sums + (r * kTaps + i) * kStemLanes);
  }
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t l = 0; l < width; l += kLanes) {
      const auto v0 = hn::LoadU(d, x0 + o * step + l), v1 = hn::LoadU(d, x1 + o * step + l);
      const auto v2 = hn::LoadU(d, x2 + o * step + l);
#pragma GCC unroll 5
      for (int r = 0; r < kRows; ++r) {
        auto gradient = hn::LoadU(d, dz + o * cell + r * width + l);
        keep_in_register(gradient);
        sum[r][0] = hn::MulAdd(gradient, v0, sum[r][0]);
        sum[r][1] = hn::MulAdd(gradient, v1, sum[r][1]);
        sum[r][2] = hn::MulAdd(gradient, v2, sum[r][2]);
      }
    }
  }
#pragma GCC unroll 5
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int i = 0; i < kTaps; ++i) hn::StoreU(sum[r][i], d, sums + (r * kTaps + i) * kStemLanes);
  }
}

/// The work of a task with its scratch memory.
class Backward {
 public:
  explicit Backward(const StemBackwardTask& task)
      : t_(task),
        p_(*task.plan),
        width_(p_.width(task.group)),
        cell_(kStemBlock * width_),
        windows_(p_.pool_out(2)),
        plane_(p_.pool_out(1) * windows_ * cell_),
        kept_(planes_kept(p_.g)) {
    float* next = task.scratch;
    const auto take = [&](std::int64_t count) {
      float* here = next;
      next += count;
      return here;
    };
    sums_ = take(p_.chunks() * kStemBlock * kTaps * kStemLanes);
    dz_ = take(row_cells(p_.g) * cell_);
    std::fill_n(dz_, row_cells(p_.g) * cell_, 0.0f);
    dy_ = take(kept_ * plane_);
    codes_ = reinterpret_cast<std::int32_t*>(take(kept_ * plane_));
  }

  /// The largest number of pooled planes whose windows contain the same plane of the convolution.
  static std::int64_t planes_kept(const StemGeometry& g) { return (g.pool[0] - 1) / g.pool_stride[0] + 1; }
  /// Cells of a row of dz: from the first tap of the first window to the last tap of the last, or to the
  /// last output if no window contains it.
  static std::int64_t row_cells(const StemGeometry& g) {
    return std::max((g.pool_out(2) - 1) * g.pool_stride[2] + g.pool[2], g.conv_out(2) + g.pool_padding[2]);
  }

  void run() {
    std::fill_n(t_.patches, p_.chunks() * kStemBlock * kTaps, 0.0);
    std::fill_n(t_.sums, kStemBlock, 0.0);
    std::fill_n(sums_, p_.chunks() * kStemBlock * kTaps * kStemLanes, 0.0f);
    std::int64_t next = std::min(t_.sum_begin, windows_of(0, t_.begin).begin);
    for (std::int64_t od = t_.begin; od < t_.end; ++od) {
      const Range planes = windows_of(0, od);
      for (; next < planes.end; ++next) expand_plane(next);
      for (std::int64_t oh = p_.h.live_begin; oh < p_.h.live_end; ++oh) add_row(od, oh, planes);
      add_up();
    }
    for (; next < t_.sum_end; ++next) expand_plane(next);
  }

 private:
  struct Range {
    std::int64_t begin, end;
  };
  /// The pooled outputs on `axis` whose windows contain output o of the convolution.
  Range windows_of(int axis, std::int64_t o) const {
    const auto a = static_cast<std::size_t>(axis);
    const std::int64_t stride = p_.g.pool_stride[a], at = o + p_.g.pool_padding[a],
                       before = at - p_.g.pool[a] + 1;
    return {before <= 0 ? 0 : (before + stride - 1) / stride, std::min(at / stride + 1, p_.pool_out(axis))};
  }

  /// Unpacks dy and codes of pooled plane qd, with zeros where there are no samples or channels, and sums dz.
  void expand_plane(std::int64_t qd) {
    const Floats d;
    const Codes di;
    const hn::Rebind<std::uint8_t, Floats> bytes;
    const std::int64_t samples = p_.samples(t_.group), batch = p_.g.batch, channels = p_.channels(t_.block);
    const std::int64_t area = plane_ / cell_, to = qd % kept_ * plane_;
    hn::Vec<Floats> sum[kStemBlock];
    for (auto& s : sum) s = hn::Zero(d);
    for (std::int64_t q = 0; q < area; ++q) {
      const std::int64_t first = ((qd * area + q) * p_.g.channels + t_.block * kStemBlock) * batch;
      for (std::int64_t r = 0; r < kStemBlock; ++r) {
        const std::int64_t from = first + r * batch + t_.group * kStemGroup;
        for (std::int64_t l = 0; l < width_; l += kLanes) {
          auto dy = hn::Zero(d);
          auto code = hn::Set(di, kNoWinner);
          if (r < channels && l + kLanes <= samples) {
            dy = hn::LoadU(d, t_.dy + from + l);
            code = hn::PromoteTo(di, hn::LoadU(bytes, t_.winner + from + l));
          } else if (r < channels && l < samples) {
            dy = load_some(d, t_.dy + from + l, samples - l);
            code = hn::PromoteTo(di, load_some(bytes, t_.winner + from + l, samples - l));
          }
          const std::int64_t at = to + q * cell_ + r * width_ + l;
          hn::StoreU(dy, d, dy_ + at);
          hn::StoreU(code, di, codes_ + at);
          const auto passes = hn::RebindMask(d, hn::Ne(code, hn::Set(di, kNoWinner)));
          sum[r] = hn::Add(sum[r], hn::IfThenElseZero(passes, dy));
        }
      }
    }
    if (qd < t_.sum_begin || qd >= t_.sum_end) return;
    for (std::int64_t r = 0; r < kStemBlock; ++r) t_.sums[r] += static_cast<double>(fold_lanes(d, sum[r]));
  }

  /// dz of row (od, oh), and its products with all rows of inputs that the filter reads for it.
  void add_row(std::int64_t od, std::int64_t oh, const Range& planes) {
    WindowRow rows[kNoWinner];
    std::int64_t count = 0;
    const Range lines = windows_of(1, oh);
    for (std::int64_t qd = planes.begin; qd < planes.end; ++qd) {
      const std::int64_t td = od - p_.window(0, qd).start;
      for (std::int64_t qh = lines.begin; qh < lines.end; ++qh) {
        const std::int64_t th = oh - p_.window(1, qh).start, at = qd % kept_ * plane_ + qh * windows_ * cell_;
        rows[count++] = {dy_ + at, codes_ + at,
                         static_cast<std::int32_t>((td * p_.g.pool[1] + th) * p_.g.pool[2])};
      }
    }
    if (count == 0) return;
    collect(rows, count);
    const StemAxis& w = p_.w;
    const std::int64_t step = w.stride * p_.g.in_channels, outputs = w.live_end - w.live_begin;
    const float* dz = dz_ + (w.live_begin + p_.g.pool_padding[2]) * cell_;
    for (std::int64_t c = 0; c < p_.chunks(); ++c) {
      const StemChunk& chunk = t_.chunks[c];
      if (!p_.row_lives(od, oh, chunk.td, chunk.th)) continue;
      const float* line = t_.boxes + (p_.row_of(od, oh, chunk.td, chunk.th) + w.live_begin * step) * width_;
      const float* taps[kTaps];
      for (int i = 0; i < kTaps; ++i) taps[i] = line + chunk.cell[i] * width_;
      for (std::int64_t r = 0; r < kStemBlock; r += kRows) {
        multiply_row(dz + r * width_, cell_, taps, step * width_, outputs, width_,
                     sums_ + (c * kStemBlock + r) * kTaps * kStemLanes);
      }
    }
  }

  void collect(const WindowRow* rows, std::int64_t count) {
    const std::int64_t taps = p_.g.pool[2], stride = p_.g.pool_stride[2];
    if (taps != 3 || stride != 2) return collect_any(rows, count, windows_, taps, stride, cell_, dz_);
    if (count == 4) return collect_three<4>(rows, count, windows_, cell_, dz_);
    if (count == 2) return collect_three<2>(rows, count, windows_, cell_, dz_);
    if (count == 1) return collect_three<1>(rows, count, windows_, cell_, dz_);
    collect_three<0>(rows, count, windows_, cell_, dz_);
  }

  /// Adds the float sums of a plane to the double ones.
  void add_up() {
    const Floats d;
    for (std::int64_t e = 0; e < p_.chunks() * kStemBlock * kTaps; ++e) {
      t_.patches[e] += static_cast<double>(fold_lanes(d, hn::LoadU(d, sums_ + e * kStemLanes)));
      hn::StoreU(hn::Zero(d), d, sums_ + e * kStemLanes);
    }
  }

  const StemBackwardTask& t_;
  const StemPlan& p_;
  std::int64_t width_, cell_, windows_, plane_, kept_;
  float *sums_, *dz_, *dy_;
  std::int32_t* codes_;
};

void stem_backward(const StemBackwardTask& task) {
  Backward(task).run();
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {

HWY_EXPORT(stem_backward);

std::int64_t stem_backward_scratch(const StemPlan& plan) {
  const StemGeometry& g = plan.g;
  const std::int64_t plane = g.pool_out(1) * g.pool_out(2), kept = (g.pool[0] - 1) / g.pool_stride[0] + 1;
  const std::int64_t windows = (g.pool_out(2) - 1) * g.pool_stride[2] + g.pool[2];
  const std::int64_t row = std::max(windows, g.conv_out(2) + g.pool_padding[2]);
  return plan.chunks() * kStemBlock * kStemTaps * kStemLanes +
         kStemBlock * plan.width(0) * (row + 2 * kept * plane);
}

void stem_backward_block(const StemBackwardTask& task) {
  HWY_DYNAMIC_DISPATCH(stem_backward)(task);
}

}  // namespace umbra
#endif

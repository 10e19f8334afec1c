// Softmax and its logarithm with exponentials and sums in double, one exponential per number. Rows whose
// numbers are adjacent (inner = 1) are processed one at a time with vectors along the row; otherwise strips
// of up to kStrip adjacent rows with vectors across the strip.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/softmax/cpu_1_simd.cpp"
#include <algorithm>
#include <cmath>

#include "engine/cpu/simd_math.h"
#include "engine/ops/kernel.h"
#include "engine/ops/shared/simd_loops.h"
#include "engine/ops/softmax/cpu_strips.h"
#include "engine/ops/softmax/op.h"

HWY_BEFORE_NAMESPACE();
namespace umbra::HWY_NAMESPACE {
namespace {

/// exp(v), and NaN for a NaN: Highway's Exp, which is within one unit in the last place, returns 0 for it.
template <class DD>
HWY_INLINE hn::Vec<DD> exp_or_nan(DD dd, hn::Vec<DD> v) {
  return hn::IfThenElse(hn::IsNaN(v), v, hn::Exp(dd, v));
}

template <class DD>
HWY_INLINE void store_narrow(hn::Vec<DD> v, DD, float* to) {
  const hn::Rebind<float, DD> d;
  hn::StoreU(hn::DemoteTo(d, v), d, to);
}

/// The maximum. If there is a NaN the result is arbitrary: the row becomes NaN, whatever is subtracted.
float largest_of(const float* x, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto all = hn::Set(d, x[0]);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) all = hn::Max(all, hn::LoadU(d, x + i));
  float largest = hn::GetLane(hn::MaxOfLanes(d, all));
  for (; i < count; ++i) largest = std::max(largest, x[i]);
  return largest;
}

template <bool kLog>
void forward_row(const float* x, float* y, std::int64_t extent) {
  const auto shift = static_cast<double>(largest_of(x, extent));
  WideSums<1> sums;
  sums.add(extent, [&](auto dd, std::int64_t i, auto* acc) HWY_ATTR {
    const auto power = exp_or_nan(dd, hn::Sub(load_wide(dd, x + i), hn::Set(dd, shift)));
    if constexpr (!kLog) store_narrow(power, dd, y + i);
    acc[0] = hn::Add(acc[0], power);
  });
  const double sum = sums.total(0), number = kLog ? std::log(sum) : 1 / sum;
  for_lanes<double>(extent, [&](auto dd, std::int64_t i) HWY_ATTR {
    const auto n = hn::Set(dd, number);
    if constexpr (kLog) {
      store_narrow(hn::Sub(hn::Sub(load_wide(dd, x + i), hn::Set(dd, shift)), n), dd, y + i);
    } else {
      store_narrow(hn::Mul(load_wide(dd, y + i), n), dd, y + i);
    }
  });
}

template <bool kLog>
void forward_strip(const float* x, float* y, std::int64_t extent, std::int64_t inner, std::int64_t width) {
  double shift[kSoftmaxStrip], number[kSoftmaxStrip];
  std::copy_n(x, width, shift);
  std::fill_n(number, width, 0.0);
  const std::int64_t end = extent * inner;
  for (std::int64_t k = inner; k < end; k += inner) {
    for_lanes<double>(width, [&](auto dd, std::int64_t j) HWY_ATTR {
      hn::StoreU(hn::Max(hn::LoadU(dd, shift + j), load_wide(dd, x + k + j)), dd, shift + j);
    });
  }
  for (std::int64_t k = 0; k < end; k += inner) {
    for_lanes<double>(width, [&](auto dd, std::int64_t j) HWY_ATTR {
      const auto power = exp_or_nan(dd, hn::Sub(load_wide(dd, x + k + j), hn::LoadU(dd, shift + j)));
      if constexpr (!kLog) store_narrow(power, dd, y + k + j);
      hn::StoreU(hn::Add(hn::LoadU(dd, number + j), power), dd, number + j);
    });
  }
  for (std::int64_t j = 0; j < width; ++j) number[j] = kLog ? std::log(number[j]) : 1 / number[j];
  for (std::int64_t k = 0; k < end; k += inner) {
    for_lanes<double>(width, [&](auto dd, std::int64_t j) HWY_ATTR {
      const auto n = hn::LoadU(dd, number + j);
      if constexpr (kLog) {
        const auto shifted = hn::Sub(load_wide(dd, x + k + j), hn::LoadU(dd, shift + j));
        store_narrow(hn::Sub(shifted, n), dd, y + k + j);
      } else {
        store_narrow(hn::Mul(load_wide(dd, y + k + j), n), dd, y + k + j);
      }
    });
  }
}

/// A number's term in the sum of its row, and (gradient_of) its gradient, given the sum.
template <bool kLog, class DD>
HWY_INLINE hn::Vec<DD> gradient_term(DD dd, const float* dy, const float* y) {
  const auto upstream = load_wide(dd, dy);
  if constexpr (kLog) return upstream;
  return hn::Mul(upstream, load_wide(dd, y));
}
template <bool kLog, class DD>
HWY_INLINE hn::Vec<DD> gradient_of(DD dd, const float* dy, const float* y, hn::Vec<DD> sum) {
  const auto upstream = load_wide(dd, dy), value = load_wide(dd, y);
  if constexpr (kLog) return hn::Sub(upstream, hn::Mul(exp_or_nan(dd, value), sum));
  return hn::Mul(value, hn::Sub(upstream, sum));
}

template <bool kLog>
void backward_row(const float* dy, const float* y, float* dx, std::int64_t extent) {
  WideSums<1> sums;
  sums.add(extent, [&](auto dd, std::int64_t i, auto* acc)
                       HWY_ATTR { acc[0] = hn::Add(acc[0], gradient_term<kLog>(dd, dy + i, y + i)); });
  const double sum = sums.total(0);
  for_lanes<double>(extent, [&](auto dd, std::int64_t i) HWY_ATTR {
    store_narrow(gradient_of<kLog>(dd, dy + i, y + i, hn::Set(dd, sum)), dd, dx + i);
  });
}

template <bool kLog>
void backward_strip(const float* dy, const float* y, float* dx, std::int64_t extent, std::int64_t inner,
                    std::int64_t width) {
  double sum[kSoftmaxStrip] = {};
  for (std::int64_t k = 0; k < extent * inner; k += inner) {
    for_lanes<double>(width, [&](auto dd, std::int64_t j) HWY_ATTR {
      const auto term = gradient_term<kLog>(dd, dy + k + j, y + k + j);
      hn::StoreU(hn::Add(hn::LoadU(dd, sum + j), term), dd, sum + j);
    });
  }
  for (std::int64_t k = 0; k < extent * inner; k += inner) {
    for_lanes<double>(width, [&](auto dd, std::int64_t j) HWY_ATTR {
      const auto gradient = gradient_of<kLog>(dd, dy + k + j, y + k + j, hn::LoadU(dd, sum + j));
      store_narrow(gradient, dd, dx + k + j);
    });
  }
}

void softmax_forward_rows(bool log, const float* x, float* y, std::int64_t extent, std::int64_t inner,
                          std::int64_t width) {
  if (inner == 1) return log ? forward_row<true>(x, y, extent) : forward_row<false>(x, y, extent);
  if (log) return forward_strip<true>(x, y, extent, inner, width);
  forward_strip<false>(x, y, extent, inner, width);
}

void softmax_backward_rows(bool log, const float* dy, const float* y, float* dx, std::int64_t extent,
                           std::int64_t inner, std::int64_t width) {
  if (inner == 1) return log ? backward_row<true>(dy, y, dx, extent) : backward_row<false>(dy, y, dx, extent);
  if (log) return backward_strip<true>(dy, y, dx, extent, inner, width);
  backward_strip<false>(dy, y, dx, extent, inner, width);
}

}  // namespace
}  // namespace umbra::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace umbra {
namespace {

HWY_EXPORT(softmax_forward_rows);
HWY_EXPORT(softmax_backward_rows);

void forward(const SoftmaxForward& op, Buffers b, void*, Stream&) {
  for_strips(op, [&](std::int64_t at, std::int64_t width) {
    HWY_DYNAMIC_DISPATCH(softmax_forward_rows)
    (op.log, b.in(0) + at, b.out(1) + at, op.extent, op.inner, width);
  });
}

void backward(const SoftmaxBackward& op, Buffers b, void*, Stream&) {
  for_strips(op, [&](std::int64_t at, std::int64_t width) {
    HWY_DYNAMIC_DISPATCH(softmax_backward_rows)
    (op.log, b.in(0) + at, b.in(1) + at, b.out(2) + at, op.extent, op.inner, width);
  });
}

}  // namespace

Kernel softmax_forward_cpu_1_simd() {
  return make_kernel<SoftmaxForward, forward>();
}
Kernel softmax_backward_cpu_1_simd() {
  return make_kernel<SoftmaxBackward, backward>();
}

}  // namespace umbra
#endif

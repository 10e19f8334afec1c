// Tap lists, axis by axis: a pair is live when it is live on every axis.
#include "engine/ops/conv/taps.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace umbra {
namespace {

// The pairs of one list on one axis: both indices run in equal steps.
struct Run {
  std::int64_t first, first_step, second, second_step, count;
};

// One axis of the geometry.
struct Axis {
  std::int64_t in, out, kernel, stride, padding, dilation;
  // The distance from one tap of an input to the next, and the corresponding number of outputs back: the
  // least common multiple of stride and dilation, counted in dilations and in strides.
  std::int64_t tap_step, output_step;

  Axis(const ConvGeometry& g, int axis)
      : in(g.in[static_cast<std::size_t>(axis)]),
        out(g.out(axis)),
        kernel(g.kernel[static_cast<std::size_t>(axis)]),
        stride(g.stride[static_cast<std::size_t>(axis)]),
        padding(g.padding[static_cast<std::size_t>(axis)]),
        dilation(g.dilation[static_cast<std::size_t>(axis)]),
        tap_step(stride / std::gcd(stride, dilation)),
        output_step(dilation / std::gcd(stride, dilation)) {}

  std::int64_t lists(TapOrder order) const {
    return order == TapOrder::kByOutput ? out : order == TapOrder::kByInput ? in : kernel;
  }
  std::int64_t firsts(TapOrder order) const { return order == TapOrder::kByTap ? out : kernel; }
  std::int64_t seconds(TapOrder order) const { return order == TapOrder::kByInput ? out : in; }

  // Everything follows from input = output * stride - padding + tap * dilation with each of the three
  // within its range.
  Run run(TapOrder order, std::int64_t list) const {
    if (order == TapOrder::kByOutput) {
      const std::int64_t start = list * stride - padding;  // input position of tap 0
      const std::int64_t tap = (std::max<std::int64_t>(0, -start) + dilation - 1) / dilation;
      const std::int64_t fitting = (in - start + dilation - 1) / dilation;
      return {tap, 1, start + tap * dilation, dilation, std::min(kernel, fitting) - tap};
    }
    if (order == TapOrder::kByTap) {
      const std::int64_t missing = std::max<std::int64_t>(0, padding - list * dilation);
      const std::int64_t output = (missing + stride - 1) / stride;
      const std::int64_t input = output * stride - padding + list * dilation;
      const std::int64_t fitting = input < in ? (in - 1 - input) / stride + 1 : 0;
      return {output, 1, input, stride, std::min(out - output, fitting)};
    }
    const std::int64_t reach = list + padding;  // output * stride + tap * dilation
    std::int64_t tap = first_tap(reach), output = (reach - tap * dilation) / stride;
    if (tap >= kernel) return {};
    if (output >= out) {
      const std::int64_t steps = (output - (out - 1) + output_step - 1) / output_step;
      tap += steps * tap_step;
      output -= steps * output_step;
    }
    const std::int64_t taps_left = tap < kernel ? (kernel - 1 - tap) / tap_step + 1 : 0;
    const std::int64_t outputs_left = output >= 0 ? output / output_step + 1 : 0;
    return {tap, tap_step, output, -output_step, std::min(outputs_left, taps_left)};
  }

  // The first tap that is a whole number of strides away from `reach`; without dilation the remainder of
  // the division. Remainders repeat every tap_step taps, so only the first tap_step are tried. Returns
  // `kernel` or more if there is none.
  std::int64_t first_tap(std::int64_t reach) const {
    if (dilation == 1) return reach % stride;
    std::int64_t tap = 0;
    while (tap < std::min(tap_step, kernel) && (reach - tap * dilation) % stride != 0) ++tap;
    return tap < tap_step ? tap : kernel;
  }

  bool live(TapOrder order, std::int64_t list) const { return run(order, list).count > 0; }
};

// A pair is live when it is live on every axis, so numbering works axis by axis.
std::int64_t number_live(const ConvGeometry& g, TapOrder order, std::span<std::int32_t> slots) {
  const Axis axes[3] = {{g, 0}, {g, 1}, {g, 2}};
  if (slots.empty()) {
    std::int64_t count = 1;
    for (const Axis& axis : axes) {
      std::int64_t live = 0;
      for (std::int64_t i = 0; i < axis.lists(order); ++i) live += axis.live(order, i);
      count *= live;
    }
    return count;
  }
  std::int32_t count = 0;
  std::size_t index = 0;
  for (std::int64_t d = 0; d < axes[0].lists(order); ++d) {
    const bool live_d = axes[0].live(order, d);
    for (std::int64_t h = 0; h < axes[1].lists(order); ++h) {
      const bool live_dh = live_d && axes[1].live(order, h);
      for (std::int64_t w = 0; w < axes[2].lists(order); ++w) {
        slots[index++] = live_dh && axes[2].live(order, w) ? count++ : -1;
      }
    }
  }
  return count;
}

}  // namespace

std::int64_t tap_list_count(const ConvGeometry& g, TapOrder order) {
  return order == TapOrder::kByOutput  ? g.out_volume()
         : order == TapOrder::kByInput ? g.in_volume()
                                       : g.taps();
}

void write_tap_lists(const ConvGeometry& g, TapOrder order, std::span<std::int32_t> begin,
                     std::span<TapEntry> entries) {
  const Axis D(g, 0), H(g, 1), W(g, 2);
  std::size_t list = 0, next = 0;
  begin[0] = 0;
  for (std::int64_t d = 0; d < D.lists(order); ++d) {
    const Run run_d = D.run(order, d);
    for (std::int64_t h = 0; h < H.lists(order); ++h) {
      const Run run_h = H.run(order, h);
      for (std::int64_t w = 0; w < W.lists(order); ++w) {
        const Run run_w = W.run(order, w);
        for (std::int64_t a = 0; a < run_d.count; ++a) {
          for (std::int64_t b = 0; b < run_h.count; ++b) {
            std::int64_t first = run_d.first + a * run_d.first_step;
            first = first * H.firsts(order) + run_h.first + b * run_h.first_step;
            first = first * W.firsts(order) + run_w.first;
            std::int64_t second = run_d.second + a * run_d.second_step;
            second = second * H.seconds(order) + run_h.second + b * run_h.second_step;
            second = second * W.seconds(order) + run_w.second;
            for (std::int64_t c = 0; c < run_w.count; ++c) {
              entries[next++] = {static_cast<std::int32_t>(first), static_cast<std::int32_t>(second)};
              first += run_w.first_step;
              second += run_w.second_step;
            }
          }
        }
        begin[++list] = static_cast<std::int32_t>(next);
      }
    }
  }
}

void write_live_tap_lists(const ConvGeometry& g, TapOrder order, std::span<std::int32_t> slots,
                          std::span<std::int32_t> begin, std::span<TapEntry> entries) {
  write_tap_lists(g, order, begin, entries);
  const std::int64_t live = number_live_taps(g, slots);
  if (order == TapOrder::kByTap) {
    for (std::size_t t = 0; t < slots.size(); ++t) {
      if (slots[t] >= 0) begin[static_cast<std::size_t>(slots[t])] = begin[t];
    }
    begin[static_cast<std::size_t>(live)] = static_cast<std::int32_t>(entries.size());
  } else if (live < g.taps()) {
    for (TapEntry& entry : entries) entry.first = slots[static_cast<std::size_t>(entry.first)];
  }
}

std::int64_t number_live_taps(const ConvGeometry& g, std::span<std::int32_t> slots) {
  return number_live(g, TapOrder::kByTap, slots);
}
std::int64_t number_live_inputs(const ConvGeometry& g, std::span<std::int32_t> slots) {
  return number_live(g, TapOrder::kByInput, slots);
}
std::int64_t number_live_outputs(const ConvGeometry& g, std::span<std::int32_t> slots) {
  return number_live(g, TapOrder::kByOutput, slots);
}

std::string too_many_positions(const ConvGeometry& g) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (g.live_pairs() <= kMost && g.in_volume() <= kMost && g.out_volume() <= kMost) return {};
  return "the volume has more than 2^31 - 1 positions or live pairs";
}

}  // namespace umbra

// Tap lists, axis by axis: a pair is live when it is live on every axis.
#include "engine/ops/conv/taps.h"

#include <algorithm>
#include <array>

namespace umbra {
namespace {

// One axis of the geometry.
struct Axis {
  std::int64_t in, out, kernel, stride, padding;

  Axis(const ConvGeometry& g, int axis)
      : in(g.in[static_cast<std::size_t>(axis)]),
        out(g.out(axis)),
        kernel(g.kernel[static_cast<std::size_t>(axis)]),
        stride(g.stride[static_cast<std::size_t>(axis)]),
        padding(g.padding[static_cast<std::size_t>(axis)]) {}

  std::int64_t count(TapOrder order) const {
    return order == TapOrder::kByOutput ? out : order == TapOrder::kByInput ? in : kernel;
  }
  std::int64_t firsts(TapOrder order) const { return order == TapOrder::kByTap ? out : kernel; }
  std::int64_t seconds(TapOrder order) const { return order == TapOrder::kByInput ? out : in; }

  // The second index of an entry, given the list and the first; negative where there is no pair.
  std::int64_t second(TapOrder order, std::int64_t list, std::int64_t first) const {
    if (order == TapOrder::kByInput) {
      const std::int64_t scaled = list + padding - first;  // out * stride
      if (scaled < 0 || scaled % stride != 0 || scaled / stride >= out) return -1;
      return scaled / stride;
    }
    const std::int64_t input = (order == TapOrder::kByOutput ? list : first) * stride - padding +
                               (order == TapOrder::kByOutput ? first : list);
    return input < in ? std::max<std::int64_t>(input, -1) : -1;
  }

  bool live(TapOrder order, std::int64_t list) const {
    for (std::int64_t first = 0; first < firsts(order); ++first) {
      if (second(order, list, first) >= 0) return true;
    }
    return false;
  }
};

// A pair is live when it is live on every axis, so numbering works axis by axis.
std::int64_t number_live(const ConvGeometry& g, TapOrder order, std::span<std::int32_t> slots) {
  const Axis axes[3] = {{g, 0}, {g, 1}, {g, 2}};
  if (slots.empty()) {
    std::int64_t count = 1;
    for (const Axis& axis : axes) {
      std::int64_t live = 0;
      for (std::int64_t i = 0; i < axis.count(order); ++i) live += axis.live(order, i);
      count *= live;
    }
    return count;
  }
  std::int32_t count = 0;
  std::size_t index = 0;
  for (std::int64_t d = 0; d < axes[0].count(order); ++d) {
    const bool live_d = axes[0].live(order, d);
    for (std::int64_t h = 0; h < axes[1].count(order); ++h) {
      const bool live_dh = live_d && axes[1].live(order, h);
      for (std::int64_t w = 0; w < axes[2].count(order); ++w) {
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
  const Axis axes[3] = {{g, 0}, {g, 1}, {g, 2}};
  const Axis &D = axes[0], &H = axes[1], &W = axes[2];
  std::size_t list = 0, next = 0;
  begin[0] = 0;
  for (std::int64_t d = 0; d < D.count(order); ++d) {
    for (std::int64_t h = 0; h < H.count(order); ++h) {
      for (std::int64_t w = 0; w < W.count(order); ++w) {
        for (std::int64_t a = 0; a < D.firsts(order); ++a) {
          const std::int64_t i = D.second(order, d, a);
          if (i < 0) continue;
          for (std::int64_t b = 0; b < H.firsts(order); ++b) {
            const std::int64_t j = H.second(order, h, b);
            if (j < 0) continue;
            for (std::int64_t c = 0; c < W.firsts(order); ++c) {
              const std::int64_t k = W.second(order, w, c);
              if (k < 0) continue;
              entries[next++] = {
                  static_cast<std::int32_t>((a * H.firsts(order) + b) * W.firsts(order) + c),
                  static_cast<std::int32_t>((i * H.seconds(order) + j) * W.seconds(order) + k)};
            }
          }
        }
        begin[++list] = static_cast<std::int32_t>(next);
      }
    }
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

}  // namespace umbra

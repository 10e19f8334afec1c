// The index arithmetic of a strided, padded window in three dimensions: which input each tap couples with an
// output. A kernel receives the numbers by value; all functions are constexpr, so that kernels and the tests
// that compare them with lists in memory run the same code.
//
// A window is separable: on each axis a tap t couples output o and input i = o * stride - padding + t, and a
// pair of positions touches data if it does so on all three axes. The live taps are therefore the product of
// the axes' live taps, and the outputs that a tap touches form a box.
#pragma once

#include <compare>

namespace umbra {

/// Numbers first … last; none when last < first.
struct Span {
  int first, last;
  constexpr int count() const { return last < first ? 0 : last - first + 1; }
  constexpr bool has(int i) const { return first <= i && i <= last; }
};
constexpr Span intersection(Span a, Span b) {
  return {a.first > b.first ? a.first : b.first, a.last < b.last ? a.last : b.last};
}

/// A set of taps of one axis: bit t is tap t.
using TapSet = unsigned;
inline constexpr int kMostAxisTaps = 16;

constexpr int size_of_set(TapSet set) {
  set = set - ((set >> 1) & 0x5555u);
  set = (set & 0x3333u) + ((set >> 2) & 0x3333u);
  set = (set + (set >> 4)) & 0x0f0fu;
  return static_cast<int>((set + (set >> 8)) & 0x1fu);
}
/// How many taps of the set are below t.
constexpr int rank_in_set(TapSet set, int t) {
  return size_of_set(set & ((1u << t) - 1));
}
/// The smallest tap of the set that is at least t; kMostAxisTaps if there is none.
constexpr int tap_from(TapSet set, int t) {
  while (t < kMostAxisTaps && (set >> t & 1u) == 0) ++t;
  return t;
}
/// The tap of that rank.
constexpr int tap_of_rank(TapSet set, int rank) {
  int t = tap_from(set, 0);
  for (; rank > 0; --rank) t = tap_from(set, t + 1);
  return t;
}

struct WindowAxis {
  int in, out, kernel, stride, padding;
  TapSet live;  // taps that touch data for at least one output

  auto operator<=>(const WindowAxis&) const = default;

  /// The input that tap t couples with output o, or -1.
  constexpr int input_of(int o, int t) const {
    const int i = o * stride - padding + t;
    return i >= 0 && i < in ? i : -1;
  }
  /// The output that tap t couples with input i, or -1.
  constexpr int output_of(int i, int t) const {
    const int scaled = i + padding - t, o = scaled / stride;
    return scaled >= 0 && o * stride == scaled && o < out ? o : -1;
  }
  /// The outputs that tap t couples with one of the inputs `within`.
  constexpr Span outputs_of_tap(int t, Span within) const {
    const int low = within.first + padding - t, high = within.last + padding - t;
    return intersection({low <= 0 ? 0 : (low + stride - 1) / stride, high < 0 ? -1 : high / stride},
                        {0, out - 1});
  }
  constexpr Span outputs_of_tap(int t) const { return outputs_of_tap(t, {0, in - 1}); }
  /// The taps that touch data for at least one of these outputs, or for one of these inputs.
  constexpr TapSet taps_of_outputs(Span outputs) const {
    TapSet set = 0;
    for (int t = 0; t < kernel; ++t) {
      if (intersection(outputs_of_tap(t), outputs).count() > 0) set |= 1u << t;
    }
    return set;
  }
  constexpr TapSet taps_of_inputs(Span inputs) const {
    TapSet set = 0;
    for (int t = 0; t < kernel; ++t) {
      if (outputs_of_tap(t, inputs).count() > 0) set |= 1u << t;
    }
    return set;
  }
};

/// With taps `dilation` positions apart, `live` still counts taps of the kernel, but input_of(), output_of()
/// and outputs_of_tap() expect a tap's distance from the first, t * dilation. taps_of_outputs() and
/// taps_of_inputs() do not support dilation.
constexpr WindowAxis window_axis(int in, int out, int kernel, int stride, int padding, int dilation = 1) {
  WindowAxis axis{in, out, kernel, stride, padding, 0};
  for (int t = 0; t < kernel; ++t) {
    if (axis.outputs_of_tap(t * dilation).count() > 0) axis.live |= 1u << t;
  }
  return axis;
}

/// A position, or a tap.
struct Place {
  int d, h, w;
};
constexpr Place place_of(int index, int height, int width) {
  const int row = index / width;
  return {row / height, row % height, index - row * width};
}

struct Box {
  Span d, h, w;
  constexpr int count() const { return d.count() * h.count() * w.count(); }
  /// The place with that number, w fastest.
  constexpr Place at(int index) const {
    const Place p = place_of(index, h.count(), w.count());
    return {d.first + p.d, h.first + p.h, w.first + p.w};
  }
};
/// The box around all places from `first` to `last` in the row-major order of a volume of that height and
/// width.
constexpr Box box_around(Place first, Place last, int height, int width) {
  Box box{{first.d, last.d}, {0, height - 1}, {0, width - 1}};
  if (first.d != last.d) return box;
  box.h = {first.h, last.h};
  if (first.h == last.h) box.w = {first.w, last.w};
  return box;
}

struct TapBox {
  TapSet d, h, w;
  constexpr int count() const { return size_of_set(d) * size_of_set(h) * size_of_set(w); }
  /// The tap with that number in row-major order.
  constexpr Place at(int index) const {
    const Place rank = place_of(index, size_of_set(h), size_of_set(w));
    return {tap_of_rank(d, rank.d), tap_of_rank(h, rank.h), tap_of_rank(w, rank.w)};
  }
  /// The tap after `tap`; after the last, d is kMostAxisTaps.
  constexpr Place after(Place tap) const {
    tap.w = tap_from(w, tap.w + 1);
    if (tap.w < kMostAxisTaps) return tap;
    tap.w = tap_from(w, 0);
    tap.h = tap_from(h, tap.h + 1);
    if (tap.h < kMostAxisTaps) return tap;
    return {tap_from(d, tap.d + 1), tap_from(h, 0), tap.w};
  }
};

struct WindowMap {
  WindowAxis d, h, w;

  auto operator<=>(const WindowMap&) const = default;
  constexpr int inputs() const { return d.in * h.in * w.in; }
  constexpr int outputs() const { return d.out * h.out * w.out; }
  constexpr TapBox live() const { return {d.live, h.live, w.live}; }
  /// The number of a live tap among the live taps, by which its weights are found.
  constexpr int slot_of(Place t) const {
    const int rank_d = rank_in_set(d.live, t.d), rank_h = rank_in_set(h.live, t.h),
              rank_w = rank_in_set(w.live, t.w);
    return (rank_d * size_of_set(h.live) + rank_h) * size_of_set(w.live) + rank_w;
  }
  constexpr Place input_place(int index) const { return place_of(index, h.in, w.in); }
  constexpr Place output_place(int index) const { return place_of(index, h.out, w.out); }
  /// The number of the input that tap t couples with output o, or -1; and of the output that it couples with
  /// input i.
  constexpr int input_of(Place o, Place t) const {
    const int at_d = d.input_of(o.d, t.d), at_h = h.input_of(o.h, t.h), at_w = w.input_of(o.w, t.w);
    return at_d < 0 || at_h < 0 || at_w < 0 ? -1 : (at_d * h.in + at_h) * w.in + at_w;
  }
  constexpr int output_of(Place i, Place t) const {
    const int at_d = d.output_of(i.d, t.d), at_h = h.output_of(i.h, t.h), at_w = w.output_of(i.w, t.w);
    return at_d < 0 || at_h < 0 || at_w < 0 ? -1 : (at_d * h.out + at_h) * w.out + at_w;
  }
  /// Taps that touch data for some place of a box of outputs, or of inputs.
  constexpr TapBox taps_of_outputs(const Box& box) const {
    return {d.taps_of_outputs(box.d), h.taps_of_outputs(box.h), w.taps_of_outputs(box.w)};
  }
  constexpr TapBox taps_of_inputs(const Box& box) const {
    return {d.taps_of_inputs(box.d), h.taps_of_inputs(box.h), w.taps_of_inputs(box.w)};
  }
  /// The box around the outputs that the live taps from `first` to `last` touch. Later taps touch earlier
  /// outputs.
  constexpr Box outputs_of_taps(Place first, Place last) const {
    const bool one_d = first.d == last.d, one_h = one_d && first.h == last.h;
    const auto around = [](const WindowAxis& axis, int from, int to) {
      return Span{axis.outputs_of_tap(to).first, axis.outputs_of_tap(from).last};
    };
    const auto any = [&](const WindowAxis& axis) {
      int end = kMostAxisTaps - 1;
      while (end > 0 && (axis.live >> end & 1u) == 0) --end;
      return around(axis, tap_from(axis.live, 0), end);
    };
    return {around(d, first.d, last.d), one_d ? around(h, first.h, last.h) : any(h),
            one_h ? around(w, first.w, last.w) : any(w)};
  }
};

}  // namespace umbra

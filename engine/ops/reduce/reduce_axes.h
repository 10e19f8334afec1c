// Reductions over some of a tensor's axes,  y = the sum, the mean, the largest or the smallest of x along
// them, and their adjoints:
//   sum, mean   dx = dy,  dx = dy / terms  for every term of an output
//   max, min    dx = dy / ties  where x == y, else 0: equal maxima share the gradient, as in PyTorch's amax
// A NaN counts as larger and as smaller than every number. It is equal to none, so its output has no tie
// and the gradients of all its terms are dx = 0 / 0, a NaN.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/base/error.h"
#include "engine/ops/op.h"

namespace umbra {

enum class AxisReduction { kSum, kMean, kMax, kMin };

constexpr std::string_view name_of(AxisReduction how) {
  switch (how) {
    case AxisReduction::kSum:
      return "sum";
    case AxisReduction::kMean:
      return "mean";
    case AxisReduction::kMax:
      return "max";
    case AxisReduction::kMin:
      return "min";
  }
  return "?";
}
/// Whether an output is equal to one of its terms.
constexpr bool picks(AxisReduction how) {
  return how == AxisReduction::kMax || how == AxisReduction::kMin;
}

/// The value of an output before its first term.
constexpr double fold_start(AxisReduction how) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return how == AxisReduction::kMax ? -kInfinity : how == AxisReduction::kMin ? kInfinity : 0;
}
/// `value` combined with one more term. A NaN stays a NaN.
template <class T>
constexpr T folded(AxisReduction how, T value, T term) {
  if (!picks(how)) return value + term;
  const bool beats = how == AxisReduction::kMax ? term > value : term < value;
  return beats || term != term ? term : value;
}

/// A row-major tensor of up to six axes as alternating extents [k0, r0, k1, r1, k2, r2, k3], k kept and r
/// reduced: neighbouring axes of a kind are merged, axes of extent 1 are dropped, and the innermost axis is
/// r2 or k3.
struct AxesGeometry {
  static constexpr std::size_t kPlaces = 7;
  std::array<std::int64_t, kPlaces> extents{1, 1, 1, 1, 1, 1, 1};

  /// `reduced` says which axes are.
  AxesGeometry(std::span<const std::int64_t> axes, const std::vector<bool>& reduced) {
    std::size_t place = kPlaces - 1;  // odd places are reduced
    for (std::size_t axis = axes.size(); axis-- > 0;) {
      if (axes[axis] == 1) continue;
      if ((place % 2 == 1) != reduced[axis]) --place;
      extents[place] *= axes[axis];
    }
  }
  std::int64_t outputs() const { return extents[0] * extents[2] * extents[4] * extents[6]; }
  /// The number of terms of every output.
  std::int64_t terms() const { return extents[1] * extents[3] * extents[5]; }
  std::int64_t count() const { return outputs() * terms(); }
  /// "32 (8) 4": reduced extents in brackets; "1" where there is one number.
  std::string text() const {
    std::string text;
    for (std::size_t i = 0; i < kPlaces; ++i) {
      if (extents[i] == 1) continue;
      text += concat(text.empty() ? "" : " ", i % 2 == 1 ? "(" : "", extents[i], i % 2 == 1 ? ")" : "");
    }
    return text.empty() ? "1" : text;
  }
};

/// The offsets of the terms of an output: term t of output o is at first(o) + step(t). Kernels of both
/// devices use it.
struct AxesIndex {
  std::array<std::int64_t, AxesGeometry::kPlaces> extents, strides;

  explicit constexpr AxesIndex(const AxesGeometry& g) : extents(g.extents), strides{} {
    std::int64_t stride = 1;
    for (std::size_t i = extents.size(); i-- > 0; stride *= extents[i]) strides[i] = stride;
  }
  constexpr std::int64_t first(std::int64_t output) const {
    return output % extents[6] + digits<4>(output / extents[6]);
  }
  constexpr std::int64_t step(std::int64_t term) const {
    if (term < extents[5]) return term * strides[5];  // one reduced axis: no division
    return term % extents[5] * strides[5] + digits<3>(term / extents[5]);
  }
  /// The number of neighbouring outputs with neighbouring terms; 1 where neighbours in memory belong to one
  /// output.
  constexpr std::int64_t inner() const { return extents[6]; }
  /// The number of terms of an output that are adjacent in memory, if inner() is 1.
  constexpr std::int64_t run() const { return extents[5]; }

 private:
  /// `number` in mixed radix: its digits are the indices along the axes kPlace, kPlace - 2, …
  template <int kPlace>
  constexpr std::int64_t digits(std::int64_t number) const {
    std::int64_t at = 0;
    for (int i = kPlace; i >= 0 && number > 0; i -= 2) {
      const auto place = static_cast<std::size_t>(i);
      at += number % extents[place] * strides[place];
      number /= extents[place];
    }
    return at;
  }
};

class ReduceAxesOp : public Op {
 public:
  ReduceAxesOp(DType type, AxisReduction how_, const AxesGeometry& g) : Op(type), how(how_), geometry(g) {}
  std::string text() const override { return concat(name_of(how), " ", geometry.text()); }
  double flops() const override { return static_cast<double>(geometry.count()); }
  /// The divisor of a sum.
  double divisor() const { return how == AxisReduction::kMean ? static_cast<double>(geometry.terms()) : 1; }

  AxisReduction how;
  AxesGeometry geometry;
};

class ReduceAxesForward final : public ReduceAxesOp {
 public:
  using ReduceAxesOp::ReduceAxesOp;
  static constexpr std::string_view kName = "reduce_axes_forward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"x", dtype, geometry.count(), Access::kIn}, {"y", dtype, geometry.outputs(), Access::kOut}};
  }
  double sum_length() const override { return picks(how) ? 1 : static_cast<double>(geometry.terms()); }
  bool exact_on_integers() const override { return how != AxisReduction::kMean; }
};

/// Only max and min read x and y; the others have no such buffers.
class ReduceAxesBackward final : public ReduceAxesOp {
 public:
  using ReduceAxesOp::ReduceAxesOp;
  static constexpr std::string_view kName = "reduce_axes_backward";
  std::string_view name() const override { return kName; }
  std::vector<BufferSpec> buffers() const override {
    return {{"dy", dtype, geometry.outputs(), Access::kIn},
            {"x", dtype, picks(how) ? geometry.count() : 0, Access::kIn},
            {"y", dtype, picks(how) ? geometry.outputs() : 0, Access::kIn},
            {"dx", dtype, geometry.count(), Access::kOut}};
  }
  bool exact_on_integers() const override { return how == AxisReduction::kSum; }
};

}  // namespace umbra

// Layout: in which order the elements of a tensor with the axes [a0, a1, s…] stand in memory. Shapes, files
// and messages always speak PyTorch's order; only kernels see memory.
//
//   row-major    [a0][a1][s…]   what PyTorch calls contiguous
//   batch-last   [s…][a1][a0]   activations [S][C][N], convolution weights [tap][Cin][Cout]
//
// Batch-last puts samples (or output channels) side by side, so that a vector register holds 16 of them and a
// convolution's padding is a list entry that does not exist. A batch-last tensor may hold only some spatial
// positions, in an order of its own: the weights of a convolution keep the taps that touch data in front, and
// their gradients and moments hold nothing else. A position that is not held counts as zero.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/shape.h"

namespace umbra {

class Layout {
 public:
  Layout() = default;  // row-major
  static Layout batch_last() { return Layout(true, nullptr); }
  /// Batch-last with these spatial positions (row-major indices over s…) in this order.
  static Layout batch_last(std::vector<std::int32_t> positions) {
    return Layout(true, std::make_shared<const std::vector<std::int32_t>>(std::move(positions)));
  }

  bool is_batch_last() const { return batch_last_; }
  /// Elements in memory of a tensor of `shape` (at least two axes unless row-major).
  std::int64_t stored(const Shape& shape) const {
    if (!positions_) return shape.count();
    return static_cast<std::int64_t>(positions_->size()) * shape[0] * shape[1];
  }
  /// Calls body(in memory, in row-major order) for the rows of a tensor of `shape`: index of the first
  /// element of every run along a0, whose elements are neighbours in memory and row_stride(shape) apart in
  /// row-major order.
  template <class Body>
  void for_each_run(const Shape& shape, const Body& body) const {
    const std::int64_t space = shape.count_from(2), channels = shape[1], run = shape[0];
    const std::int64_t held = positions_ ? static_cast<std::int64_t>(positions_->size()) : space;
    for (std::int64_t p = 0; p < held; ++p) {
      const std::int64_t s = positions_ ? (*positions_)[static_cast<std::size_t>(p)] : p;
      for (std::int64_t c = 0; c < channels; ++c) body((p * channels + c) * run, c * space + s);
    }
  }
  static std::int64_t row_stride(const Shape& shape) { return shape.count_from(1); }

  friend bool operator==(const Layout& a, const Layout& b) {
    if (a.batch_last_ != b.batch_last_ || !a.positions_ != !b.positions_) return false;
    return !a.positions_ || *a.positions_ == *b.positions_;
  }

 private:
  Layout(bool last, std::shared_ptr<const std::vector<std::int32_t>> positions)
      : batch_last_(last), positions_(std::move(positions)) {}

  bool batch_last_ = false;
  std::shared_ptr<const std::vector<std::int32_t>> positions_;  // null: all, in order
};

}  // namespace umbra

// Layout: the order in memory of the elements of a tensor with the axes [a0, a1, s…]. Shapes, files and
// messages always use PyTorch's order; only kernels see the order in memory.
//
//   row-major    [a0][a1][s…]   what PyTorch calls contiguous
//   batch-last   [s…][a1][a0]   activations [S][C][N], convolution weights [tap][Cin][Cout]
//
// Batch-last puts samples (or output channels) side by side: a vector register holds 16 of them, and a
// convolution skips padding by leaving taps out of a list. A batch-last tensor may store only some of the
// spatial positions, in any order: the weights of a convolution store the taps that touch data first, and
// their gradients and moments store only these. A position that is not stored counts as zero.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/shape.h"

namespace umbra {

/// The order of a tensor's elements in memory, and the spatial positions that are stored.
class Layout {
 public:
  Layout() = default;  ///< row-major
  /// Batch-last with all spatial positions in row-major order.
  static Layout batch_last() { return Layout(true, nullptr); }
  /// Batch-last with these spatial positions (row-major indices over s…) in this order.
  static Layout batch_last(std::vector<std::int32_t> positions) {
    return Layout(true, std::make_shared<const std::vector<std::int32_t>>(std::move(positions)));
  }

  /// False for row-major.
  bool is_batch_last() const { return batch_last_; }
  /// The spatial positions in their order in memory; null: all, in row-major order.
  const std::vector<std::int32_t>* positions() const { return positions_.get(); }
  /// Number of elements in memory of a tensor of `shape` (at least two axes unless row-major).
  std::int64_t stored(const Shape& shape) const {
    if (!positions_) return shape.count();
    return static_cast<std::int64_t>(positions_->size()) * shape[0] * shape[1];
  }
  /// Calls body(index in memory, index in row-major order) for the first element of every run along axis a0
  /// of a batch-last tensor of `shape`. The elements of a run are adjacent in memory and row_stride(shape)
  /// apart in row-major order.
  template <class Body>
  void for_each_run(const Shape& shape, const Body& body) const {
    const std::int64_t space = shape.count_from(2), channels = shape[1], run = shape[0];
    const std::int64_t held = positions_ ? static_cast<std::int64_t>(positions_->size()) : space;
    for (std::int64_t p = 0; p < held; ++p) {
      const std::int64_t s = positions_ ? (*positions_)[static_cast<std::size_t>(p)] : p;
      for (std::int64_t c = 0; c < channels; ++c) body((p * channels + c) * run, c * space + s);
    }
  }
  /// Distance in row-major order between neighbours along axis a0 of a tensor of `shape`, in elements.
  static std::int64_t row_stride(const Shape& shape) { return shape.count_from(1); }

  /// Whether both are row-major, or both batch-last with the same positions in the same order.
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

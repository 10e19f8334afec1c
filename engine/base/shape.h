// Shape: the extents of a tensor, outermost first, at most six of them, held by value.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "engine/base/error.h"

namespace umbra {

class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;  // rank 0: a scalar, one element
  Shape(std::initializer_list<std::int64_t> extents)
      : Shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const std::int64_t> extents) {
    require(extents.size() <= kMaxRank, "a shape has at most ", kMaxRank, " dimensions, not ",
            extents.size());
    for (std::int64_t extent : extents) {
      require(extent >= 0, "a shape's extent must not be negative, but one is ", extent);
      extents_[rank_++] = extent;
    }
  }

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  std::span<const std::int64_t> extents() const { return {extents_.data(), static_cast<std::size_t>(rank_)}; }

  /// Number of elements (1 for rank 0).
  std::int64_t count() const { return count_from(0); }
  /// Product of the extents from `axis` on.
  std::int64_t count_from(int axis) const {
    std::int64_t product = 1;
    for (int i = axis; i < rank_; ++i) product *= extents_[static_cast<std::size_t>(i)];
    return product;
  }

  /// "[32, 20, 8, 8, 8]"
  std::string text() const {
    std::string out = "[";
    for (int i = 0; i < rank_; ++i) out += (i ? ", " : "") + std::to_string((*this)[i]);
    return out + "]";
  }

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<std::int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

/// The shape of a batch of `count` samples: [count, …].
inline Shape stacked(std::int64_t count, const Shape& sample) {
  std::array<std::int64_t, Shape::kMaxRank> extents{count};
  require(sample.rank() < Shape::kMaxRank, "a batch of samples of shape ", sample,
          " has too many dimensions");
  for (int axis = 0; axis < sample.rank(); ++axis) extents[static_cast<std::size_t>(axis) + 1] = sample[axis];
  return Shape(std::span<const std::int64_t>(extents.data(), static_cast<std::size_t>(sample.rank()) + 1));
}

}  // namespace umbra

// Which block of a launch processes which piece of which tensor, when one launch covers many tensors: plain
// data and functions, filled by the host and used by kernels.
#pragma once

#include <cstdint>

namespace umbra {

/// The most tensors in one launch: their pointers are parameters of the kernel, of which there may be 4 KB.
inline constexpr int kMostTensors = 64;

/// Elements [begin, end) of a tensor, given by its number.
struct TensorPiece {
  int tensor;
  std::int64_t begin, end;
};

/// Tensors divided into pieces of `chunk` elements, one block each.
struct TensorListBlocks {
  std::int64_t chunk = 1;
  int tensors = 0;
  std::int32_t first[kMostTensors + 1] = {};  // block of each tensor, then the number of blocks

  /// Adds a tensor. At most kMostTensors, and at most 2^31 - 1 blocks in total.
  constexpr void add(std::int64_t count) {
    first[tensors + 1] = first[tensors] + static_cast<std::int32_t>((count + chunk - 1) / chunk);
    ++tensors;
  }
  constexpr int blocks() const { return first[tensors]; }
  /// The tensor of a block: the last that starts at or before it. Empty tensors have no block.
  constexpr int tensor_of(int block) const {
    int low = 0, high = tensors;  // first[low] <= block < first[high]
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      if (first[middle] <= block) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
  /// `count` is the count of the tensor tensor_of(block).
  constexpr TensorPiece piece(int block, int tensor, std::int64_t count) const {
    const std::int64_t begin = (block - first[tensor]) * chunk;
    return {tensor, begin, begin + chunk < count ? begin + chunk : count};
  }
};

}  // namespace umbra

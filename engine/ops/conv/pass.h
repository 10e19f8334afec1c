// What the CPU rungs of the convolution share: cutting up a workspace, and activations as operands of a block
// product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/cpu/block_product.h"
#include "engine/ops/conv/op.h"

namespace umbra {

/// Cuts a workspace into arrays aligned to 64 bytes; with a null base it only counts.
class Carver {
 public:
  explicit Carver(void* base) : base_(static_cast<char*>(base)) {}
  template <class T>
  std::span<T> take(std::int64_t count) {
    char* here = base_ ? base_ + used_ : nullptr;
    used_ += (static_cast<std::size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return {reinterpret_cast<T*>(here), base_ ? static_cast<std::size_t>(count) : 0};
  }
  std::size_t used() const { return used_; }
  void* rest() const { return base_ + used_; }

 private:
  char* base_;
  std::size_t used_ = 0;
};

/// Activations [sample][channel][position]: blocks are positions; lanes are samples and steps channels, or
/// vice versa.
inline BlockOperand lanes_of_samples(const ConvGeometry& g, std::int64_t channels, std::int64_t volume) {
  return {nullptr, g.batch, volume, 0, channels * volume, volume, nullptr};
}
inline BlockOperand lanes_of_channels(std::int64_t channels, std::int64_t volume) {
  return {nullptr, channels, volume, 0, volume, channels * volume, nullptr};
}

}  // namespace umbra

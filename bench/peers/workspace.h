// The use of a workspace, shared by both GPU peers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bench/peers/peers.h"
#include "engine/base/dtype.h"

namespace umbra {

/// Divides a workspace into pieces with the alignment that libraries need; with a null base it only counts. A
/// workspace of need() bytes is large enough at any address.
class Pieces {
 public:
  explicit Pieces(void* base) : base_(static_cast<char*>(base)) {
    const auto address = reinterpret_cast<std::uintptr_t>(base);
    used_ = (kPeerAlignment - address % kPeerAlignment) % kPeerAlignment;
  }
  void* take(std::int64_t count, DType type) {
    return take_bytes(static_cast<std::size_t>(count) * size_of(type));
  }
  void* take_bytes(std::size_t bytes) {
    void* const here = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (bytes + kPeerAlignment - 1) / kPeerAlignment * kPeerAlignment;
    return here;
  }
  std::size_t need() const { return used_ + kPeerAlignment; }

 private:
  char* base_;
  std::size_t used_;
};

}  // namespace umbra

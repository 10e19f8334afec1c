// Memory on a device between two guard zones: a write outside a kernel's buffer is detected.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/runtime/storage.h"
#include "engine/runtime/stream.h"

namespace umbra::gauntlet {

inline constexpr std::byte kNanPoison{0xFF};    // a NaN in float and double, -1 as an integer
inline constexpr std::byte kLargePoison{0x55};  // 1.5e13 as float: garbage of another kind

/// `bytes` of device memory, full of `poison`, with a copy of all of it on the host. They start `shift` bytes
/// after an aligned address.
class GuardedMemory {
 public:
  GuardedMemory(Stream& stream, std::size_t bytes, std::size_t shift, std::byte poison);

  /// The host's copy.
  std::byte* data() { return host_.data() + start_; }
  /// The address given to the kernel: null when there are no bytes, as in the tensor layer.
  void* device_data() const;
  void upload() const { copy(storage_->data(), host_.data()); }
  void download() { copy(host_.data(), storage_->data()); }
  /// Whether nothing was written outside, as of the last download.
  bool guards_intact() const;

 private:
  void copy(void* to, const void* from) const;

  Stream& stream_;
  std::size_t bytes_, start_;
  std::vector<std::byte> host_;
  std::shared_ptr<Storage> storage_;
};

}  // namespace umbra::gauntlet

#include "tests/gauntlet/guarded_memory.h"

#include <algorithm>

#include "engine/runtime/backend.h"

namespace umbra::gauntlet {
namespace {

constexpr std::size_t kGuardBytes = 512;  // 64 elements of 8 bytes, on either side
constexpr std::byte kGuard{0xA5};

}  // namespace

GuardedMemory::GuardedMemory(Stream& stream, std::size_t bytes, std::size_t shift, std::byte poison)
    : stream_(stream),
      bytes_(bytes),
      start_(kGuardBytes + shift),
      host_(start_ + bytes + kGuardBytes, kGuard) {
  std::fill_n(data(), bytes_, poison);
  storage_ = allocate_storage(stream.device(), host_.size());
}

void* GuardedMemory::device_data() const {
  return bytes_ == 0 ? nullptr : static_cast<std::byte*>(storage_->data()) + start_;
}

bool GuardedMemory::guards_intact() const {
  const auto guard = [](std::byte b) { return b == kGuard; };
  const auto first = host_.begin(), last = host_.end();
  return std::all_of(first, first + static_cast<std::ptrdiff_t>(start_), guard) &&
         std::all_of(last - static_cast<std::ptrdiff_t>(kGuardBytes), last, guard);
}

void GuardedMemory::copy(void* to, const void* from) const {
  const Device device = stream_.device();
  backend_of(device.kind).copy(device.index, stream_.native(), to, from, host_.size());
  stream_.synchronize();
}

}  // namespace umbra::gauntlet

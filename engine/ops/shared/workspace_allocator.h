// Divides a workspace into arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace umbra {

/// Divides a workspace into arrays aligned to 64 bytes; with a null base it only counts the bytes.
class WorkspaceAllocator {
 public:
  explicit WorkspaceAllocator(void* base) : base_(static_cast<char*>(base)) {}
  template <class T>
  std::span<T> take(std::int64_t count) {
    char* here = base_ ? base_ + used_ : nullptr;
    used_ += (static_cast<std::size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return {reinterpret_cast<T*>(here), base_ ? static_cast<std::size_t>(count) : 0};
  }
  std::size_t used() const { return used_; }

 private:
  char* base_;
  std::size_t used_ = 0;
};

}  // namespace umbra

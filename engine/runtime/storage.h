// Storage: one block of memory on one device, released by its destructor.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "engine/base/device.h"

namespace umbra {

class Storage {
 public:
  Storage(Device device, void* data, std::size_t bytes, std::function<void(void*)> release)
      : device_(device), data_(data), bytes_(bytes), release_(std::move(release)) {}
  ~Storage() { release_(data_); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  Device device() const { return device_; }
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Device device_;
  void* data_;
  std::size_t bytes_;
  std::function<void(void*)> release_;
};

/// Allocates a block outside any arena. Throws Error when the device is out of memory.
std::shared_ptr<Storage> allocate_storage(Device device, std::size_t bytes);
/// Pinned host memory: copies from and to `device` access it without the CPU.
std::shared_ptr<Storage> allocate_pinned(Device device, std::size_t bytes);

}  // namespace umbra

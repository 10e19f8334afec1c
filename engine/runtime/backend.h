// Backend: what a kind of device must offer so that memory and queues work on it. One implementation per
// kind; which CUDA one is linked, cuda_runtime.cpp or cuda_absent.cpp, is decided by CMake and nowhere else.
#pragma once

#include <cstddef>
#include <string>

#include "engine/base/device.h"

namespace umbra {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual int device_count() const = 0;
  virtual std::string describe(int index) const = 0;  // one line for a report
  virtual void* allocate(int index,
                         std::size_t bytes) const = 0;  // aligned to 256 bytes at least; throws Error
  virtual void release(int index, void* memory, std::size_t bytes) const = 0;
  virtual void* create_queue(int index) const = 0;
  virtual void destroy_queue(int index, void* queue) const = 0;
  virtual void synchronize(int index, void* queue) const = 0;
  /// Copies between any two of: host memory, memory of this kind. Ordered in `queue`.
  virtual void copy(int index, void* queue, void* to, const void* from, std::size_t bytes) const = 0;
};

const Backend& cpu_backend();
const Backend& cuda_backend();
const Backend& backend_of(Device::Kind kind);

/// "auto", "cpu", "cuda" or "cuda:1" as a device that exists; auto takes the first GPU where there is one.
Device parse_device(const std::string& text);

}  // namespace umbra

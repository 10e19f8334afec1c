// Arena: memory for the temporary tensors of a training step. A block returns to the arena when its last
// owner is destroyed and is reused for requests of its size or less, so nothing is allocated after the first
// step. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/runtime/storage.h"

namespace umbra {

class Arena {
 public:
  explicit Arena(Device device);

  /// A block of at least `bytes` bytes, uninitialised. It may outlive the arena.
  std::shared_ptr<Storage> take(std::size_t bytes);

  Device device() const;
  std::size_t bytes_held() const;   // allocated from the device so far, in use or not
  std::size_t allocations() const;  // calls of the device's allocator so far

 private:
  struct Pool;
  std::shared_ptr<Pool> pool_;
};

}  // namespace umbra

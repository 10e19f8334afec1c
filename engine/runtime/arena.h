// Arena: memory for what a training step makes and drops. Blocks come back when their last owner goes and are
// handed out again, also to those who need less, so that after the first step nothing is allocated any more.
// Not for use from several threads at once.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/runtime/storage.h"

namespace umbra {

class Arena {
 public:
  explicit Arena(Device device);

  /// A block of at least `bytes` bytes with arbitrary contents. It may outlive the arena.
  std::shared_ptr<Storage> take(std::size_t bytes);

  Device device() const;
  std::size_t bytes_held() const;   // allocated from the device so far, in use or not
  std::size_t allocations() const;  // calls of the device's allocator so far

 private:
  struct Pool;
  std::shared_ptr<Pool> pool_;
};

}  // namespace umbra

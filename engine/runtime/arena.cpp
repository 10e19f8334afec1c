#include "engine/runtime/arena.h"

#include <algorithm>
#include <bit>
#include <map>
#include <vector>

#include "engine/runtime/backend.h"

namespace umbra {

std::shared_ptr<Storage> allocate_storage(Device device, std::size_t bytes) {
  const Backend& backend = backend_of(device.kind);
  void* data = backend.allocate(device.index, bytes);
  return std::make_shared<Storage>(device, data, bytes, [&backend, device, bytes](void* memory) {
    backend.release(device.index, memory, bytes);
  });
}

std::shared_ptr<Storage> allocate_pinned(Device device, std::size_t bytes) {
  const Backend& backend = backend_of(device.kind);
  void* data = backend.allocate_pinned(device.index, bytes);
  return std::make_shared<Storage>(Device{}, data, bytes, [&backend, device](void* memory) {
    backend.release_pinned(device.index, memory);
  });
}

struct Arena::Pool {
  explicit Pool(Device d) : device(d) {}
  ~Pool() {
    for (auto& [bytes, blocks] : free_blocks) {
      for (void* block : blocks) backend_of(device.kind).release(device.index, block, bytes);
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  Device device;
  std::map<std::size_t, std::vector<void*>> free_blocks;  // by size
  std::size_t bytes_held = 0;
  std::size_t allocations = 0;
};

namespace {

// Sizes are rounded up to eighths of a power of two: at most 12.5 % is wasted, and freed blocks fit new
// requests.
std::size_t size_class(std::size_t bytes) {
  const std::size_t step = std::max<std::size_t>(256, std::bit_floor(bytes) / 8);
  return std::max<std::size_t>(step, (bytes + step - 1) / step * step);
}

}  // namespace

Arena::Arena(Device device) : pool_(std::make_shared<Pool>(device)) {}

std::shared_ptr<Storage> Arena::take(std::size_t bytes) {
  const std::size_t rounded = size_class(bytes);
  void* block = nullptr;
  // The smallest free block that is large enough: a smaller last batch fits into the blocks of the others.
  std::size_t size = rounded;
  auto found = pool_->free_blocks.lower_bound(rounded);
  while (found != pool_->free_blocks.end() && found->second.empty()) ++found;
  if (found == pool_->free_blocks.end()) {
    block = backend_of(pool_->device.kind).allocate(pool_->device.index, rounded);
    pool_->bytes_held += rounded;
    ++pool_->allocations;
  } else {
    size = found->first;
    block = found->second.back();
    found->second.pop_back();
  }
  // The block keeps the pool alive, not the arena, and returns to the pool's free list.
  return std::make_shared<Storage>(pool_->device, block, bytes, [pool = pool_, size](void* memory) {
    pool->free_blocks[size].push_back(memory);
  });
}

Device Arena::device() const {
  return pool_->device;
}
std::size_t Arena::bytes_held() const {
  return pool_->bytes_held;
}
std::size_t Arena::allocations() const {
  return pool_->allocations;
}

}  // namespace umbra

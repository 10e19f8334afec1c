// The CPU as a device: aligned host memory, on huge pages where it is large, and a queue that is the calling
// thread.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "engine/base/error.h"
#include "engine/runtime/backend.h"

namespace umbra {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

class CpuBackend final : public Backend {
 public:
  int device_count() const override { return 1; }
  std::string describe(int) const override {
    return concat("cpu with ", std::thread::hardware_concurrency(), " hardware threads");
  }
  void* allocate(int, std::size_t bytes) const override {
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* memory =
        rounded < bytes ? nullptr : std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
    if (memory == nullptr) fail("the CPU has no ", bytes, " bytes of memory left for this run");
    // Page faults were 40 % of an untuned training step; huge pages make them rare. Only advice: failure is
    // harmless.
    if (bytes >= kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);
    return memory;
  }
  void release(int, void* memory, std::size_t) const override { std::free(memory); }
  void* create_queue(int) const override { return nullptr; }
  void destroy_queue(int, void*) const override {}
  void synchronize(int, void*) const override {}
  void copy(int, void*, void* to, const void* from, std::size_t bytes) const override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

}  // namespace umbra

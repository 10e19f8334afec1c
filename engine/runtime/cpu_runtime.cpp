// The CPU as a device: aligned host memory, with huge pages for large blocks, and a queue that is the calling
// thread.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "engine/base/error.h"
#include "engine/runtime/host_only.h"

namespace umbra {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

class CpuBackend final : public HostOnly {
 public:
  int device_count() const override { return 1; }
  std::string describe(int) const override {
    return concat("cpu with ", std::thread::hardware_concurrency(), " hardware threads");
  }
  std::string identity(int) const override { return "cpu"; }
  std::string why_none() const override { return {}; }
  void* allocate(int, std::size_t bytes) const override {
    const bool large = bytes >= kHugePage;
    void* memory = nullptr;
    const int error = posix_memalign(&memory, large ? kHugePage : kAlignment, std::max(bytes, kAlignment));
    if (error != 0) fail("out of memory: cannot allocate ", bytes, " bytes on the CPU");
    // Page faults took 40 % of an untuned training step; huge pages make them rare. Only for whole huge
    // pages: a partly used last one would be resident in full. madvise() is advice, so its failure is
    // harmless.
    if (large) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
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

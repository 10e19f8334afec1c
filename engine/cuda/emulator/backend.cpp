// The CUDA backend of programs in which CUDA kernels are emulated on the host. Memory is host memory, a queue
// executes its work at once, and a graph is a list of recorded work.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/base/error.h"
#include "engine/cuda/emulator/emulator.h"
#include "engine/runtime/host_only.h"
#include "engine/runtime/launch_refusal.h"

namespace umbra {
namespace {

using Work = std::vector<std::function<void()>>;

std::unique_ptr<Work>& capturing() {
  static std::unique_ptr<Work> work;
  return work;
}

class EmulatedBackend final : public HostOnly {
 public:
  int device_count() const override { return 1; }
  std::string describe(int) const override { return "the emulator of CUDA kernels on the host"; }
  std::string why_none() const override { return {}; }
  std::size_t shared_memory() const override { return 227 << 10; }  // Hopper's
  int compute_capability() const override { return 9; }
  std::string launch_error(int) const override { return take_launch_refusal(); }
  void* allocate(int, std::size_t bytes) const override {
    constexpr std::size_t kAlignment = 256;
    void* memory = std::aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment);
    require(memory != nullptr, "out of memory: cannot allocate ", bytes, " bytes");
    std::memset(memory, 0xFF, bytes);  // NaN: no kernel may rely on the initial contents of a GPU's memory
    return memory;
  }
  void release(int, void* memory, std::size_t) const override { std::free(memory); }
  void* create_queue(int) const override { return nullptr; }
  void destroy_queue(int, void*) const override {}
  void synchronize(int, void*) const override {
    require(!capturing(), "a queue was waited for while a graph was being captured");
  }
  void copy(int, void*, void* to, const void* from, std::size_t bytes) const override {
    emulator::submit([=] {
      if (bytes > 0) std::memcpy(to, from, bytes);
    });
  }
  bool captures_graphs() const override { return true; }
  void begin_capture(int, void*) const override { capturing() = std::make_unique<Work>(); }
  void* end_capture(int, void*) const override { return capturing().release(); }
  void launch_graph(int, void*, void* graph) const override {
    for (const auto& work : *static_cast<Work*>(graph)) work();
  }
  void destroy_graph(int, void* graph) const override { delete static_cast<Work*>(graph); }
};

}  // namespace

namespace emulator {

void submit(std::function<void()> work) {
  if (capturing()) {
    capturing()->push_back(std::move(work));
  } else {
    work();
  }
}

}  // namespace emulator

const Backend& cuda_backend() {
  static const EmulatedBackend backend;
  return backend;
}

}  // namespace umbra

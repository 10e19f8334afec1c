// The CUDA backend of programs in which CUDA kernels are emulated on the host. Memory is host memory, a queue is one of
// queues.h, and a graph is a list of recorded work.
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/base/error.h"
#include "engine/cuda/emulator/emulator.h"
#include "engine/cuda/emulator/queues.h"
#include "engine/runtime/host_only.h"
#include "engine/runtime/launch_refusal.h"

namespace umbra {
namespace {

using Work = std::vector<std::function<void()>>;

emulator::Queue* queue_of(void* queue) {
  return static_cast<emulator::Queue*>(queue);
}
emulator::Mark* mark_of(void* event) {
  return static_cast<emulator::Mark*>(event);
}

// What CUDA refuses while a stream is captured, or answers about the capture and not about the work.
void refuse_in_capture(const char* what) {
  require(!emulator::is_capturing(), what, " while a graph was being captured");
}

class EmulatedBackend final : public HostOnly {
 public:
  /// As many as the environment says, so that several processes of a machine can have one each.
  int device_count() const override {
    const char* count = std::getenv("UMBRA_EMULATED_GPUS");
    return count != nullptr ? std::atoi(count) : 1;
  }
  std::string describe(int) const override { return "the emulator of CUDA kernels on the host"; }
  std::string identity(int index) const override {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return concat("emulated GPU ", index, " of ", host.data());
  }
  std::string why_none() const override { return {}; }
  std::size_t shared_memory() const override { return 227 << 10; }  // Hopper's
  int compute_capability() const override { return 9; }
  std::string launch_error(int) const override { return take_launch_refusal(); }
  void* allocate(int, std::size_t bytes) const override {
    constexpr std::size_t kAlignment = 256;
    void* memory = std::aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment);
    require(memory != nullptr, "out of memory: cannot allocate ", bytes, " bytes");
    std::memset(memory, 0xFF, bytes);  // NaN: no kernel may rely on the initial contents of a GPU's memory
    emulator::add_memory(memory, bytes);
    return memory;
  }
  void release(int, void* memory, std::size_t) const override {
    emulator::finish_all();
    emulator::remove_memory(memory);
    std::free(memory);
  }
  void* allocate_pinned(int index, std::size_t bytes) const override { return allocate(index, bytes); }
  void release_pinned(int index, void* memory) const override { release(index, memory, 0); }
  void* create_queue(int) const override { return emulator::make_queue(); }
  void destroy_queue(int, void* queue) const override { emulator::destroy_queue(queue_of(queue)); }
  void synchronize(int, void* queue) const override { emulator::finish(queue_of(queue)); }
  void copy(int, void* queue, void* to, const void* from, std::size_t bytes) const override {
    if (bytes == 0) return;
    const bool pageable = !emulator::owns(to, bytes) || !emulator::owns(from, bytes);
    if (pageable) refuse_in_capture("pageable memory was copied");
    emulator::submit(queue, [=] { std::memcpy(to, from, bytes); });
    if (pageable) emulator::finish(queue_of(queue));
  }
  void* create_event(int) const override { return new emulator::Mark(emulator::mark_in(nullptr)); }
  void destroy_event(int, void* event) const override { delete mark_of(event); }
  void record(int, void* event, void* queue) const override {
    refuse_in_capture("an event was recorded");
    *mark_of(event) = emulator::mark_in(queue_of(queue));
  }
  void wait(int, void* event) const override {
    refuse_in_capture("an event was waited for");
    emulator::finish(*mark_of(event));
  }
  double seconds(int, void* from, void* to) const override {
    return std::chrono::duration<double>(*mark_of(to)->time - *mark_of(from)->time).count();
  }
  void wait_in_queue(int, void* queue, void* event) const override {
    refuse_in_capture("a queue was made to wait for an event");
    emulator::wait_in_queue(queue_of(queue), *mark_of(event));
  }
  bool reached(int, void* event) const override {
    refuse_in_capture("an event was queried");
    return emulator::advance(*mark_of(event));
  }
  bool captures_graphs() const override { return true; }
  void begin_capture(int, void*) const override { emulator::begin_capture(); }
  void* end_capture(int, void*) const override { return new Work(emulator::end_capture()); }
  void launch_graph(int, void* queue, void* graph) const override {
    for (const auto& work : *static_cast<Work*>(graph)) emulator::submit(queue, work);
  }
  void destroy_graph(int, void* graph) const override { delete static_cast<Work*>(graph); }
};

}  // namespace

const Backend& cuda_backend() {
  static const EmulatedBackend backend;
  return backend;
}

}  // namespace umbra

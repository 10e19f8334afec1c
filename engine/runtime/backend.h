// Backend: the interface that a kind of device implements for memory, queues, events and graphs. There is one
// implementation per kind. Which CUDA implementation is linked (cuda_runtime.cpp, cuda_absent.cpp or the
// emulator's) is decided by CMake alone.
#pragma once

#include <cstddef>
#include <string>

#include "engine/base/device.h"

namespace umbra {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual int device_count() const = 0;               // devices that can run umbra's kernels
  virtual std::string describe(int index) const = 0;  // one line for a report
  /// A text that is the same for the same piece of hardware, in every process and on every machine.
  virtual std::string identity(int index) const = 0;
  virtual std::string why_none() const = 0;  // why device_count() is 0, without a full stop
  /// Bytes of shared memory available to a block of threads on every such device; 0 where there are no
  /// blocks.
  virtual std::size_t shared_memory() const = 0;
  /// Major compute capability of every such device; 0 where there is none, or where they differ.
  virtual int compute_capability() const = 0;
  /// Whether tensor cores of every such device multiply operands in shared memory (wgmma): Hopper, 9.0.
  bool has_wgmma() const { return compute_capability() == 9; }
  virtual void* allocate(int index,
                         std::size_t bytes) const = 0;  // aligned to 256 bytes at least; throws Error
  virtual void release(int index, void* memory, std::size_t bytes) const = 0;
  /// Makes the device the calling thread's current one, to which launches go.
  virtual void select(int index) const = 0;
  virtual void* create_queue(int index) const = 0;
  virtual void destroy_queue(int index, void* queue) const = 0;
  virtual void synchronize(int index, void* queue) const = 0;
  /// Copies within or between host memory and memory of this kind, in the order of `queue`. With pinned host
  /// memory the call returns before the copy is done.
  virtual void copy(int index, void* queue, void* to, const void* from, std::size_t bytes) const = 0;
  /// The error of launches since the last call, or why they did not start; empty if there was none.
  virtual std::string launch_error(int index) const = 0;

  /// Host memory that this device's copy engines access without the CPU.
  virtual void* allocate_pinned(int index, std::size_t bytes) const = 0;
  virtual void release_pinned(int index, void* memory) const = 0;

  /// Events: marks in a queue that the host can wait for, and between which time can be measured.
  virtual void* create_event(int index) const = 0;
  virtual void destroy_event(int index, void* event) const = 0;
  virtual void record(int index, void* event, void* queue) const = 0;
  virtual void wait(int index, void* event) const = 0;  // the host waits
  virtual double seconds(int index, void* from, void* to) const = 0;
  /// Work that is put into `queue` from now on starts after the mark. The host does not wait.
  virtual void wait_in_queue(int index, void* queue, void* event) const = 0;
  /// Whether everything before the mark is done.
  virtual bool reached(int index, void* event) const = 0;

  /// Graphs: between begin and end, work put into `queue` is recorded instead of executed; launching the
  /// graph executes all of it. The host must not wait for anything in between.
  virtual bool captures_graphs() const = 0;
  virtual void begin_capture(int index, void* queue) const = 0;
  virtual void* end_capture(int index, void* queue) const = 0;
  virtual void launch_graph(int index, void* queue, void* graph) const = 0;
  virtual void destroy_graph(int index, void* graph) const = 0;

  /// Begins a named range of host work on a profiler's time line.
  virtual void begin_range(const char* name) const = 0;
  virtual void end_range() const = 0;
};

const Backend& cpu_backend();
const Backend& cuda_backend();
const Backend& backend_of(Device::Kind kind);

/// The device named "auto", "cpu", "cuda" or "cuda:1"; auto is cuda if there is a GPU, otherwise the CPU.
/// `process` is the number of this process among those of its machine: each has a GPU of its own as cuda, as long
/// as there are enough. Throws Error when the device does not exist.
Device parse_device(const std::string& text, int process = 0);

}  // namespace umbra

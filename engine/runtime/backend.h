// Backend: what a kind of device must offer so that memory and queues work on it. One implementation per
// kind; which CUDA one is linked (cuda_runtime.cpp, cuda_absent.cpp or the emulator's) is decided by CMake
// and nowhere else.
#pragma once

#include <cstddef>
#include <string>

#include "engine/base/device.h"

namespace umbra {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual int device_count() const = 0;               // of devices that umbra's kernels can run on
  virtual std::string describe(int index) const = 0;  // one line for a report
  virtual std::string why_none() const = 0;           // when device_count() is 0: a sentence without a stop
  /// Bytes of fast memory that a block of threads may have on every such device; 0 where there are no blocks.
  virtual std::size_t shared_memory() const = 0;
  /// Major compute capability of every such device; 0 where there is none, or where they differ.
  virtual int compute_capability() const = 0;
  virtual void* allocate(int index,
                         std::size_t bytes) const = 0;  // aligned to 256 bytes at least; throws Error
  virtual void release(int index, void* memory, std::size_t bytes) const = 0;
  /// Makes the device the calling thread's: launches go there.
  virtual void select(int index) const = 0;
  virtual void* create_queue(int index) const = 0;
  virtual void destroy_queue(int index, void* queue) const = 0;
  virtual void synchronize(int index, void* queue) const = 0;
  /// Copies between any two of: host memory, memory of this kind. Ordered in `queue`; from and to pinned host
  /// memory it returns before it is done.
  virtual void copy(int index, void* queue, void* to, const void* from, std::size_t bytes) const = 0;
  /// What went wrong with launches since the last call, in words; empty when nothing did.
  virtual std::string launch_error(int index) const = 0;

  /// Host memory that copies of this device reach without the CPU's help.
  virtual void* allocate_pinned(int index, std::size_t bytes) const = 0;
  virtual void release_pinned(int index, void* memory) const = 0;

  /// Events: marks in a queue that can be waited for, and between which time passes.
  virtual void* create_event(int index) const = 0;
  virtual void destroy_event(int index, void* event) const = 0;
  virtual void record(int index, void* event, void* queue) const = 0;
  virtual void wait(int index, void* event) const = 0;  // the host waits
  virtual double seconds(int index, void* from, void* to) const = 0;

  /// Graphs: between begin and end, work put into `queue` is not done but written down; a graph does all of
  /// it again with one launch. Nothing may be waited for in between.
  virtual bool captures_graphs() const = 0;
  virtual void begin_capture(int index, void* queue) const = 0;
  virtual void* end_capture(int index, void* queue) const = 0;
  virtual void launch_graph(int index, void* queue, void* graph) const = 0;
  virtual void destroy_graph(int index, void* graph) const = 0;

  /// Names what the host does from now on, for a profiler's time line.
  virtual void begin_range(const char* name) const = 0;
  virtual void end_range() const = 0;
};

const Backend& cpu_backend();
const Backend& cuda_backend();
const Backend& backend_of(Device::Kind kind);

/// "auto", "cpu", "cuda" or "cuda:1" as a device that exists; auto takes the first GPU where there is one.
Device parse_device(const std::string& text);

}  // namespace umbra

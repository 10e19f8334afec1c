// HostOnly: the parts of a Backend that are trivial when the queue is the calling thread.
#pragma once

#include <chrono>
#include <cstdlib>

#include "engine/base/error.h"
#include "engine/runtime/backend.h"

namespace umbra {

class HostOnly : public Backend {
 public:
  std::size_t shared_memory() const override { return 0; }
  int compute_capability() const override { return 0; }
  void select(int) const override {}
  std::string launch_error(int) const override { return {}; }
  void* allocate_pinned(int, std::size_t bytes) const override { return std::malloc(bytes); }
  void release_pinned(int, void* memory) const override { std::free(memory); }
  void* create_event(int) const override { return new Clock::time_point(); }
  void destroy_event(int, void* event) const override { delete time_of(event); }
  void record(int, void* event, void*) const override { *time_of(event) = Clock::now(); }
  void wait(int, void*) const override {}
  double seconds(int, void* from, void* to) const override {
    return std::chrono::duration<double>(*time_of(to) - *time_of(from)).count();
  }
  void wait_in_queue(int, void*, void*) const override {}
  bool reached(int, void*) const override { return true; }
  bool captures_graphs() const override { return false; }
  void begin_capture(int, void*) const override { no_graphs(); }
  void* end_capture(int, void*) const override { no_graphs(); }
  void launch_graph(int, void*, void*) const override { no_graphs(); }
  void destroy_graph(int, void*) const override {}
  void begin_range(const char*) const override {}
  void end_range() const override {}

 private:
  using Clock = std::chrono::steady_clock;
  static Clock::time_point* time_of(void* event) { return static_cast<Clock::time_point*>(event); }
  [[noreturn]] static void no_graphs() { fail("this device does not support graphs"); }
};

}  // namespace umbra

// Graph: work recorded from a stream, which one launch executes again.
#pragma once

#include <functional>

#include "engine/runtime/stream.h"

namespace umbra {

class Graph {
 public:
  /// Whether work on this kind of device can be captured.
  static bool possible(Device device);
  /// Records what `work` puts into `stream` without executing it. `work` must not wait for anything.
  Graph(const Stream& stream, const std::function<void()>& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Puts all recorded work into `stream`.
  void launch(const Stream& stream) const;

 private:
  Device device_;
  void* native_ = nullptr;
};

}  // namespace umbra

// Graph: work that was put into a stream once and can be done again with one launch.
#pragma once

#include <functional>

#include "engine/runtime/stream.h"

namespace umbra {

class Graph {
 public:
  /// Whether work on this kind of device can be captured.
  static bool possible(Device device);
  /// Captures what `work` puts into `stream`; none of it is done. Meanwhile nothing may be waited for.
  Graph(const Stream& stream, const std::function<void()>& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Queues all of it.
  void launch(const Stream& stream) const;

 private:
  Device device_;
  void* native_ = nullptr;
};

}  // namespace umbra

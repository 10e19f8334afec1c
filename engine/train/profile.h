// Profile: the cost of every op of a run and the rung (kernel variant) that ran it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/train/peaks.h"

namespace umbra {

/// Sums time, FLOPs and bytes per op and problem. On a device that captures graphs, the time of a call is that of a node
/// of a graph, measured at the first call of a problem by repeating it on its inputs and on copies of what it writes,
/// which are in the cache if they fit there.
class Profile {
 public:
  /// Measures the peaks of the context's device, then becomes the observer of `context`, which it must
  /// outlive.
  void attach(Context& context);
  /// A table, most expensive first: op, rung, calls, ms per call, share of the time, useful GFLOP/s, GB/s,
  /// percentage of the roofline, the problem, and why the registry chose the rung.
  std::string table() const;

 private:
  struct Entry {
    std::string rung, why;
    std::int64_t calls = 0;
    double seconds = 0, flops = 0, bytes = 0;  // sums over the calls
    std::optional<double> in_graph;            // seconds of a call
  };
  Peaks peaks_;
  std::map<std::pair<std::string, std::string>, Entry> entries_;  // (op, problem)
};

}  // namespace umbra

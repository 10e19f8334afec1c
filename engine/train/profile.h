// Profile: what every op of a run cost and which rung ran it.
#pragma once

#include <map>
#include <string>

#include "engine/train/peaks.h"

namespace umbra {

class Profile {
 public:
  /// Measures the peaks of the context's device, then watches every call of `context`.
  void attach(Context& context);
  /// A table, dearest first: op, rung, calls, ms per call, share, useful GFLOP/s, GB/s, percentage of the
  /// roofline, the problem and why the registry chose the rung.
  std::string table() const;

 private:
  struct Entry {
    std::string rung, why;
    std::int64_t calls = 0;
    double seconds = 0, flops = 0, bytes = 0;  // sums over the calls
  };
  Peaks peaks_;
  std::map<std::pair<std::string, std::string>, Entry> entries_;  // (op, problem)
};

}  // namespace umbra

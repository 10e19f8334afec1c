// Stage: a part of long work that reports how far it is. The libraries report through it and do not know who
// listens: the tools draw a line on a terminal (tools/common/stage_line.h). Nobody listens to a null
// StageReport, and then a Stage costs one branch per call.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace umbra {

/// How far a stage is.
struct StageState {
  std::string_view name;   ///< what is being done, a few words: "growing trees"
  std::int64_t done = 0;   ///< units done so far
  std::int64_t total = 0;  ///< units in all; 0: unknown
  bool finished = false;   ///< the stage is over; also after an exception
};

/// Receives the states of stages, one at a time but from any thread. It must not throw. Null: nobody listens.
using StageReport = std::function<void(const StageState&)>;

/// One stage, from its construction to its destruction.
class Stage {
 public:
  /// Reports the beginning. `report` must outlive the stage. A total of 0 is unknown.
  Stage(const StageReport& report, std::string name, std::int64_t total = 0)
      : report_(report), name_(std::move(name)), total_(total) {
    if (report_) report_({name_, 0, total_});
  }
  /// Reports the end.
  ~Stage() {
    if (report_) report_({name_, done_, total_, true});
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// More units are done. Any thread may call this; one that finds another reporting does not wait.
  void add(std::int64_t units = 1) {
    if (!report_) return;
    done_.fetch_add(units, std::memory_order_relaxed);
    const std::unique_lock alone(reporting_, std::try_to_lock);
    if (alone) report_({name_, done_, total_});
  }

 private:
  const StageReport& report_;
  std::string name_;
  std::int64_t total_;
  std::atomic<std::int64_t> done_{0};
  std::mutex reporting_;
};

}  // namespace umbra

// StageLine: shows on a terminal how far a command is. Everywhere else it prints nothing.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "engine/base/stage.h"
#include "engine/io/status_line.h"

namespace umbra {

/// Draws the stage that is under way: its name, a bar, its share and the time that it still takes, or the time
/// that it has taken if its length is unknown. The line goes to standard error, so that a terminal shows it
/// when the results go to a file or a pipe, and it is cleared at the end of every stage: what a command prints
/// between two stages follows a clean line.
class StageLine {
 public:
  StageLine();
  /// Whether anything is shown.
  bool on_terminal() const { return line_.on_terminal(); }
  /// For the libraries; null if nothing is shown. Must not be called after the end of this object.
  StageReport report();

 private:
  void show(const StageState& state);

  StatusLine line_;
  std::string name_;  // of the stage that is drawn
  std::chrono::steady_clock::time_point start_;
};

}  // namespace umbra

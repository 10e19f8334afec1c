// Progress: reports the progress of training to a person. On a terminal it redraws one line, without its least
// important parts if the window is narrow, and leaves that of the last epoch; elsewhere it prints one line per epoch.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "engine/io/status_line.h"
#include "engine/train/trainer.h"

namespace umbra {

/// Prints loss, metric, learning rate, speed and the time left while a Trainer runs.
class Progress final : public Observer {
 public:
  /// `metric` and `unit` are words for the line ("chi2", "boxes"); `first_step` is the step at which this
  /// process starts, for the speed and the time left.
  Progress(std::FILE* out, std::int64_t epochs, std::int64_t steps_per_epoch, std::int64_t first_step,
           std::string metric, std::string unit);
  /// Prints the line of the last epoch if it was only drawn: the run was stopped before its last one.
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Adds the step to the means of the epoch, and redraws the line on a terminal.
  void on_step(const Report& report) override;
  /// Keeps the metric for the line.
  void on_validation(const Report& report) override;
  /// Prints the line at the end of an epoch.
  void on_step_done(const Report& report, bool epoch_end) override;

 private:
  std::string text(const Report& report, std::size_t width) const;

  StatusLine line_;
  std::int64_t epochs_, steps_per_epoch_, first_step_;
  std::string metric_, unit_;
  std::chrono::steady_clock::time_point start_;
  std::int64_t samples_ = 0;                                      // since the start of this process
  double epoch_loss_ = 0, epoch_metric_ = 0, epoch_samples_ = 0;  // sums over this epoch
  double validation_ = 0;
  bool validated_ = false;
  std::string unprinted_;  // the line of the last epoch, whole, if it was only drawn
};

}  // namespace umbra
